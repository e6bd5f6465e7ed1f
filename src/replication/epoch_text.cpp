#include "replication/epoch_text.h"

#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "replication/replication_errc.h"

namespace rmq::replication {
namespace {

// Takes the next line off `text`, without its end; CR LF where the file was written on Windows.
std::string_view take_line(std::string_view& text) {
  const std::size_t newline = text.find('\n');
  std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<EpochEntry> entry_of(std::string_view line) {
  const std::size_t dash = line.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::optional<std::int64_t> epoch = number(line.substr(0, dash));
  const std::optional<std::int64_t> start = number(line.substr(dash + 1));
  if (!epoch || !start || *epoch > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return EpochEntry{Epoch{static_cast<std::int32_t>(*epoch)}, PhysicalOffset{*start}};
}

}  // namespace

std::string encode_epochs(const EpochHistory& history, const TextCrc32& crc32) {
  std::string lines;
  for (const EpochEntry& entry : history.entries()) {
    lines += std::to_string(entry.epoch.value) + "-" + std::to_string(entry.start.value) + "\n";
  }
  return std::to_string(history.entries().size()) + "\n" + std::to_string(crc32(lines)) + "\n" +
         lines;
}

Result<EpochHistory> decode_epochs(std::string_view text, const TextCrc32& crc32) {
  const std::optional<std::int64_t> count = number(take_line(text));
  const std::optional<std::int64_t> sum = number(take_line(text));
  if (!count || !sum) return fail(ReplicationErrc::Malformed, "no count or no sum");
  if (*sum != 0 && *sum != crc32(text)) return fail(ReplicationErrc::Malformed, "wrong sum");
  std::vector<EpochEntry> entries;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) continue;
    const std::optional<EpochEntry> entry = entry_of(line);
    if (!entry) return fail(ReplicationErrc::Malformed, std::string(line));
    entries.push_back(*entry);
  }
  if (static_cast<std::int64_t>(entries.size()) != *count) {
    return fail(ReplicationErrc::Malformed,
                std::to_string(entries.size()) + " entries of " + std::to_string(*count));
  }
  return EpochHistory::from(entries);
}

}  // namespace rmq::replication
