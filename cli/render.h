// Tables: for people aligned columns, two blanks apart, no lines; widths are those of a terminal,
// so that names in Chinese or Japanese stay aligned. For spreadsheets CSV (RFC 4180).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rmq::cli {

// Cells of a terminal that `utf8` takes: 2 for East Asian wide characters and emoji, 0 for
// combining marks. A byte that is not UTF-8 counts 1, as terminals show a replacement for it.
std::size_t display_width(std::string_view utf8);

// `text` with everything that a terminal would obey or cannot show as an escape: \n, \t, \\, \xNN.
// Valid UTF-8 stays.
std::string escape_for_terminal(std::string_view text);

bool is_utf8(std::string_view text);

enum class Align { Left, Right };
// Detail::Wide: a column that people see only when they ask for the wide form.
enum class Detail { Always, Wide };

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::Left;
    Detail detail = Detail::Always;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column, as it is: what a terminal would obey is escaped when it is written.
  void add_row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // The title line and the rows, each ended by a line feed, without blanks at line ends.
  std::string text(Detail detail = Detail::Always) const;
  // All columns. Their names are the titles as words of a program: "last_update".
  std::string csv_header() const;
  std::string csv_rows() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "2024-05-01 12:00:00.123", UTC: the same on every machine.
std::string format_time_ms(std::int64_t epoch_ms);

}  // namespace rmq::cli
