#include "cli/render.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <ctime>

#include "base/assert.h"

namespace rmq::cli {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// The character that `text`, which is not empty, begins with; an invalid byte is one character of
// its own.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1, true};
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return {};
  char32_t value = byte(0) & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3Fu);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[length] || surrogate || value > 0x10FFFF) return {};
  return {value, length, true};
}

struct Range {
  char32_t first;
  char32_t last;
};

// The blocks that matter in practice, not the whole of Unicode's East Asian width table.
constexpr std::array kWide{
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},
    Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
    Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
    Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};
constexpr std::array kZero{Range{0x0300, 0x036F}, Range{0x200B, 0x200F}, Range{0x20D0, 0x20FF},
                           Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t value) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](Range range) { return value >= range.first && value <= range.last; });
}

bool is_control(char32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0x2028 || value == 0x2029 ||
         (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    std::array<char, 5> text{};
    std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned char>(c));
    out += text.data();
  }
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    if (cells[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += cells[i];
      continue;
    }
    line += '"';
    for (const char c : cells[i]) line += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += '"';
  }
  return line + "\r\n";
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const CodePoint point = first_code_point(utf8);
    if (!point.valid) {
      width += 1;
    } else if (!contains(kZero, point.value)) {
      width += contains(kWide, point.value) ? 2 : 1;
    }
    utf8.remove_prefix(point.bytes);
  }
  return width;
}

std::string escape_for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const std::string_view bytes = text.substr(0, point.bytes);
    if (point.valid && point.value == '\n') {
      out += "\\n";
    } else if (point.valid && point.value == '\r') {
      out += "\\r";
    } else if (point.valid && point.value == '\t') {
      out += "\\t";
    } else if (point.valid && point.value == '\\') {
      out += "\\\\";
    } else if (!point.valid || is_control(point.value)) {
      append_hex(out, bytes);
    } else {
      out += bytes;
    }
    text.remove_prefix(point.bytes);
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.bytes);
  }
  return true;
}

void Table::add_row(std::vector<std::string> cells) {
  RMQ_ASSERT(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(Detail detail) const {
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (detail == Detail::Wide || columns_[i].detail == Detail::Always) shown.push_back(i);
  }
  std::vector<std::vector<std::string>> lines(rows_.size() + 1);
  std::vector<std::size_t> widths;
  for (const std::size_t i : shown) {
    lines[0].push_back(escape_for_terminal(columns_[i].title));
    std::size_t width = display_width(lines[0].back());
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      lines[row + 1].push_back(escape_for_terminal(rows_[row][i]));
      width = std::max(width, display_width(lines[row + 1].back()));
    }
    widths.push_back(width);
  }

  std::string out;
  for (const std::vector<std::string>& cells : lines) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - display_width(cells[i]), ' ');
      if (i > 0) line += "  ";
      line += columns_[shown[i]].align == Align::Right ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string Table::csv_header() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) {
    std::string name = column.title;
    for (char& c : name) c = c == ' ' ? '_' : static_cast<char>(std::tolower(c));
    names.push_back(std::move(name));
  }
  return csv_line(names);
}

std::string Table::csv_rows() const {
  std::string out;
  for (const auto& row : rows_) out += csv_line(row);
  return out;
}

std::string format_time_ms(std::int64_t epoch_ms) {
  std::time_t seconds = static_cast<std::time_t>(epoch_ms / 1000);
  std::int64_t millis = epoch_ms % 1000;
  if (millis < 0) {
    millis += 1000;
    --seconds;
  }
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(epoch_ms);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03d", static_cast<int>(millis));
  return text.data();
}

}  // namespace rmq::cli
