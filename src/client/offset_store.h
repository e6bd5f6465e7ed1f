// OffsetStore: how far a consumer group has come in each queue, and where that is kept: on the
// brokers for a group whose members share the queues (BrokerOffsets), in a file for a broadcasting
// consumer (local_offsets.h). Threads: the consumer's own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "client/client.h"
#include "client/message_queue.h"
#include "net/task.h"

namespace rmq::client {

class OffsetStore {
 public:
  virtual ~OffsetStore() = default;

  // What is kept for the queue, if anything.
  virtual net::Task<Result<std::optional<QueueOffset>>> load(MessageQueue queue) = 0;
  // Keeps what changed of these queues. What fails is tried again at the next call.
  virtual net::Task<> persist(std::vector<MessageQueue> queues) = 0;

  // The group has come to `offset`; a lower one than before is ignored.
  void advance(const MessageQueue& queue, QueueOffset offset);
  // The same, also backwards.
  void set(const MessageQueue& queue, QueueOffset offset);
  std::optional<QueueOffset> find(const MessageQueue& queue) const;
  void forget(const MessageQueue& queue) { offsets_.erase(queue); }

 protected:
  struct Progress {
    QueueOffset offset;
    bool changed = false;
  };
  std::map<MessageQueue, Progress> offsets_;
};

class BrokerOffsets final : public OffsetStore {
 public:
  // `client` must outlive it.
  BrokerOffsets(Client& client, std::string group) : client_(client), group_(std::move(group)) {}

  net::Task<Result<std::optional<QueueOffset>>> load(MessageQueue queue) override;
  net::Task<> persist(std::vector<MessageQueue> queues) override;

 private:
  net::Task<Result<std::string>> address_of(const MessageQueue& queue);
  net::Task<bool> persist_one(MessageQueue queue, QueueOffset offset);

  Client& client_;
  const std::string group_;
};

// Where a group begins in a queue in which it has no offset yet.
enum class ConsumeFrom { LastOffset, FirstOffset, Timestamp };

}  // namespace rmq::client
