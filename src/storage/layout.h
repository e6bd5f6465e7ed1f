// Layout: every file and directory name of a store; nobody else spells a path.
// The names are Java's (StorePathConfigHelper.java); what is ours alone lies under rmq/.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "storage/store_config.h"

namespace rmq::storage {

class Layout {
 public:
  explicit Layout(const StoreConfig& config);

  const std::string& root() const { return root_; }
  // Where the commit log is; the first directory when it lies in several.
  const std::string& commit_log() const { return commit_logs_.front(); }
  const std::vector<std::string>& commit_logs() const { return commit_logs_; }
  const std::vector<std::string>& read_only_commit_logs() const { return read_only_commit_logs_; }
  std::string consume_queues() const { return root_ + "/consumequeue"; }
  std::string topic(std::string_view topic) const;
  std::string consume_queue(std::string_view topic, QueueId queue_id) const;
  std::string index() const { return root_ + "/index"; }
  std::string checkpoint() const { return root_ + "/checkpoint"; }
  std::string abort() const { return root_ + "/abort"; }
  std::string lock() const { return root_ + "/lock"; }
  std::string own() const { return root_ + "/rmq"; }
  std::string log_mark() const { return own() + "/log-mark"; }
  std::string checksums() const { return own() + "/checksums"; }
  std::string diverged() const { return own() + "/diverged"; }
  std::string damaged() const { return own() + "/damaged"; }
  std::string config() const { return root_ + "/config"; }
  std::string deleted_messages() const { return own() + "/deleted-messages.json"; }

 private:
  std::string root_;
  std::vector<std::string> commit_logs_;
  std::vector<std::string> read_only_commit_logs_;
};

// What a file system has in its root directory, which may be a directory of the log.
inline constexpr std::string_view kLostAndFound = "lost+found";

// The name of a file of fixed size: the position of its first byte, 20 digits.
std::string position_file_name(std::int64_t position);
// Error: StoreErrc::WrongFileName when `name` is not 20 digits that make a position.
Result<std::int64_t> parse_position_file_name(std::string_view directory, std::string_view name);

}  // namespace rmq::storage
