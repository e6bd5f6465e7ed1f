// LocalOffsets: the offsets of a broadcasting consumer, in a file of its own. Format and place:
// RocketMQ LocalFileOffsetStore.java, {"offsetTable":{{queue}:offset,...}} in
// DIRECTORY/CLIENT_ID/GROUP/offsets.json, the version before in offsets.json.bak. So a consumer
// finds its offsets again only under the same client id. Threads: the consumer's own; files are
// read and written by a thread of its own. A crash leaves the file or the version before.
#pragma once

#include <string>

#include "base/blocking_pool.h"
#include "base/file_system.h"
#include "client/offset_store.h"

namespace rmq::client {

// "$HOME/.rocketmq_offsets", Java's default.
std::string default_offsets_directory();

class LocalOffsets final : public OffsetStore {
 public:
  LocalOffsets(FileSystem& files, const std::string& directory, const std::string& client_id,
               const std::string& group);

  net::Task<Result<std::optional<QueueOffset>>> load(MessageQueue queue) override;
  net::Task<> persist(std::vector<MessageQueue> queues) override;

  const std::string& path() const { return path_; }

 private:
  using Table = std::map<MessageQueue, QueueOffset>;
  net::Task<Result<>> read_once();

  FileSystem& files_;
  const std::string path_;
  std::optional<Table> kept_;  // what the file has; read at the first load()
  BlockingPool disk_{1};
};

}  // namespace rmq::client
