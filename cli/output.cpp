#include "cli/output.h"

#include <ostream>

#include "base/assert.h"
#include "cli/yaml.h"

namespace rmq::cli {

void show(const Listing& listing, OutputFormat format, Console& console) {
  if (is_for_programs(format)) return print_value(listing.value, format, console);
  RMQ_ASSERT(!listing.tables.empty());
  if (format == OutputFormat::Csv) {
    const Table& table = listing.tables.front();
    console.out << table.csv_header() << table.csv_rows() << std::flush;
    return;
  }
  const Detail detail = format == OutputFormat::Wide ? Detail::Wide : Detail::Always;
  bool first = true;
  for (const Table& table : listing.tables) {
    if (!first) console.out << "\n";
    first = false;
    console.out << table.text(detail);
  }
  if (!listing.note.empty()) console.out << escape_for_terminal(listing.note) << "\n";
  console.out << std::flush;
}

void print_value(const json::Value& value, OutputFormat format, Console& console) {
  RMQ_ASSERT(is_for_programs(format));
  if (format == OutputFormat::Json) {
    console.out << json::write(value, {.quote_integer_keys = true}) << "\n" << std::flush;
  } else {
    console.out << "---\n" << to_yaml(value) << std::flush;
  }
}

void say(const std::string& line, OutputFormat format, Console& console) {
  if (is_for_people(format)) console.out << escape_for_terminal(line) << "\n" << std::flush;
}

}  // namespace rmq::cli
