#include "config/load.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace rmq::config {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

std::string place(std::string_view file, std::string_view key) {
  return std::string(file) + ": " + std::string(key) + ": ";
}

// Warns about or refuses a key without a row.
Result<> judge_other_key(std::string_view key, std::string_view value, std::string_view file,
                         const JavaKeys& known, std::vector<std::string>& warnings) {
  if (std::ranges::find(known.tuning, key) != known.tuning.end()) return {};
  const auto entry = std::ranges::find(known.judged, key, &JavaKey::key);
  if (entry == known.judged.end()) {
    warnings.push_back(place(file, key) + "unknown setting, kept but not used");
    return {};
  }
  if (value == entry->harmless) return {};
  const std::string message =
      place(file, key) + "'" + std::string(value) + "': " + std::string(entry->text);
  if (entry->handling == Handling::Refused) return fail(ConfigErrc::Refused, message);
  warnings.push_back(message);
  return {};
}

}  // namespace

const Row* nearest(const Rows& rows, std::string_view key) {
  if (const Row* row = rows.find_java(last_part(key))) return row;
  const Row* best = nullptr;
  std::size_t best_distance = key.size() / 3 + 2;  // further away is not a slip of the finger
  for (const Row& row : rows.all()) {
    // A key in the wrong table is near, too.
    const std::size_t distance =
        std::min(edit_distance(row.toml_key, key),
                 edit_distance(last_part(row.toml_key), last_part(key)) + 1);
    if (distance < best_distance) {
      best = &row;
      best_distance = distance;
    }
  }
  return best;
}

Result<JavaRemains> load_java(const KeyValues& properties, std::string_view file, const Rows& rows,
                              const JavaKeys& known) {
  JavaRemains remains;
  for (const auto& [key, value] : properties) {
    const Row* row = rows.find_java(key);
    if (row != nullptr) {
      if (const Result<> set = row->set(value); !set) {
        return fail(set.error().code, place(file, key) + set.error().detail);
      }
      continue;
    }
    RMQ_CHECK(judge_other_key(key, value, file, known, remains.warnings));
    remains.other_keys.emplace_back(key, value);
  }
  return remains;
}

bool is_toml(std::string_view file) { return file.ends_with(".toml"); }

Result<std::string> read_config_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return fail(ConfigErrc::Unreadable, file + ": " + std::generic_category().message(errno));
  }
  // An empty file sets no character, which the stream calls a failure; peek tells it from a read
  // error.
  std::ostringstream text;
  if (in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  if (in.bad() || text.bad())
    return fail(ConfigErrc::Unreadable, file + ": read error (a directory?)");
  return text.str();
}

}  // namespace rmq::config
