#include "storage/retention_rule.h"

#include <charconv>

namespace rmq::storage {

std::optional<HoursOfDay> parse_hours(std::string_view text) {
  HoursOfDay hours;
  while (true) {
    const std::string_view word = text.substr(0, text.find(';'));
    unsigned hour = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), hour);
    if (error != std::errc() || end != word.data() + word.size() || hour >= hours.size()) {
      return std::nullopt;
    }
    hours.set(hour);
    if (word.size() == text.size()) return hours;
    text.remove_prefix(word.size() + 1);
  }
}

namespace {

bool is_beyond(const StoreConfig& config, const DiskSpace& space, std::int32_t percent) {
  return space.available_bytes < config.disk_ample_free_bytes && space.used_share() * 100 > percent;
}

}  // namespace

bool is_full_for_segments(const StoreConfig& config, const DiskSpace& space) {
  return is_beyond(config, space, config.disk_space_clean_forcibly_ratio);
}

RetentionRule retention_rule(const StoreConfig& config, const DiskSpace& space, int hour,
                             bool asked) {
  const auto beyond = [&](std::int32_t percent) { return is_beyond(config, space, percent); };
  const auto hours = parse_hours(config.delete_when);
  const bool in_hour = hours && hours->test(static_cast<std::size_t>(hour));
  RetentionRule rule;
  rule.refuse_writes = beyond(config.disk_space_warning_level_ratio);
  rule.delete_oldest = config.clean_file_forcibly_enable &&
                       (rule.refuse_writes || beyond(config.disk_space_clean_forcibly_ratio));
  rule.delete_expired = in_hour || asked || rule.delete_oldest || rule.refuse_writes ||
                        beyond(config.disk_max_used_space_ratio);
  return rule;
}

}  // namespace rmq::storage
