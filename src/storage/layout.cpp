#include "storage/layout.h"

#include <charconv>

#include "storage/store_errc.h"

namespace rmq::storage {

constexpr std::size_t kNameDigits = 20;

Layout::Layout(const StoreConfig& config)
    : root_(config.root_directory),
      commit_logs_(split_directories(config.commit_log_directory)),
      read_only_commit_logs_(split_directories(config.commit_log_read_only_directories)) {
  if (commit_logs_.empty()) commit_logs_.push_back(root_ + "/commitlog");
}

std::string Layout::topic(std::string_view topic) const {
  return consume_queues() + "/" + std::string(topic);
}

std::string Layout::consume_queue(std::string_view topic_name, QueueId queue_id) const {
  return topic(topic_name) + "/" + std::to_string(queue_id);
}

std::string position_file_name(std::int64_t position) {
  const std::string digits = std::to_string(position);
  return std::string(kNameDigits - digits.size(), '0') + digits;
}

Result<std::int64_t> parse_position_file_name(std::string_view directory, std::string_view name) {
  std::int64_t position = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, position);
  if (name.size() != kNameDigits || error != std::errc() || stop != end || position < 0) {
    return fail(StoreErrc::WrongFileName, std::string(directory) + "/" + std::string(name));
  }
  return position;
}

}  // namespace rmq::storage
