// ProcessQueue: the messages of one queue that were pulled and are not done yet, and from them the
// offset to commit: the first that is not done, so that a crash repeats messages and loses none.
// Threads: one; the messages themselves are shared with listeners.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/units.h"
#include "client/message.h"

namespace rmq::client {

using MessagePtr = std::shared_ptr<ReceivedMessage>;
// What listeners are given.
using MessageBatch = std::vector<std::shared_ptr<const ReceivedMessage>>;

// What a message counts against the limits of memory.
std::size_t cached_bytes(const ReceivedMessage& message);

class ProcessQueue {
 public:
  // Adds what a pull brought; offsets that are there already are left as they are.
  void put(const std::vector<MessagePtr>& messages);
  // These are done. The offset to commit; nothing when none of them was there.
  std::optional<QueueOffset> remove(const std::vector<MessagePtr>& messages);

  // Up to `count` of those not taken yet, from the lowest offset on. What was taken stays until
  // remove() or put_back().
  std::vector<MessagePtr> take(std::size_t count);
  void put_back(const std::vector<MessagePtr>& messages);
  bool has_untaken() const { return taken_ < messages_.size(); }

  std::size_t count() const { return messages_.size(); }
  std::size_t bytes() const { return bytes_; }
  // From the first offset to the last.
  std::int64_t span() const;
  // Both 0 when empty.
  QueueOffset first() const;
  QueueOffset last() const;

 private:
  struct Entry {
    MessagePtr message;
    bool taken = false;
  };
  std::map<QueueOffset, Entry> messages_;
  std::size_t bytes_ = 0;
  std::size_t taken_ = 0;
  QueueOffset put_end_;  // one past the highest offset ever put
};

}  // namespace rmq::client
