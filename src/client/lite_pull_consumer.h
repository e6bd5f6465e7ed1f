// LitePullConsumer: messages when the application asks for them, as RocketMQ's
// DefaultLitePullConsumer gives them: from its share of the queues of the topics that its group
// subscribed to, or from queues that it names. Messages are read ahead, within the limits of
// GroupOptions. Threads: everything on the io threads' control thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "client/group_consumer.h"
#include "net/task.h"

namespace rmq::client {

struct LitePullOptions {
  GroupOptions group;  // `type`, `orderly` and `commits_what_it_skips` are set by this class
  // What a poll() returned is committed some time after the next poll() began; else by commit().
  bool auto_commit = true;
  std::size_t poll_max = 10;  // messages of one poll()
};

class LitePullConsumer {
 public:
  // `client` must outlive it.
  LitePullConsumer(Client& client, LitePullOptions options);
  // After shutdown(), if it was started.
  ~LitePullConsumer();

  // One of both. Errors: ProtocolErrc::FieldMalformed.
  Result<> subscribe(std::string topic, std::string expression = "*",
                     std::string expression_type = "TAG");
  // These queues, whoever else reads them; anew at any time.
  void assign(std::vector<MessageQueue> queues);
  // All queues of a topic, to choose from. Errors: as PullConsumer::queues().
  net::Task<Result<std::vector<MessageQueue>>> fetch_queues(std::string topic);
  // Those that it reads now.
  std::vector<MessageQueue> queues() const;

  // Errors: ClientErrc::GroupInUse.
  net::Task<Result<>> start();
  // With auto_commit, commits what poll() returned.
  net::Task<> shutdown();

  // Messages of one queue, in its order; the queues in turn. Empty after `timeout`, or after
  // shutdown().
  net::Task<MessageBatch> poll(std::chrono::milliseconds timeout);
  // Keeps how far poll() has come.
  net::Task<> commit();
  // What is kept for a queue, if anything.
  net::Task<Result<std::optional<QueueOffset>>> committed(MessageQueue queue);

  // On from there. Errors: ClientErrc::QueueUnknown: it does not read it; OffsetOutOfRange.
  net::Task<Result<>> seek(MessageQueue queue, QueueOffset offset);
  net::Task<Result<>> seek_to_begin(MessageQueue queue);
  net::Task<Result<>> seek_to_end(MessageQueue queue);
  // The first message stored at or after `epoch_ms`.
  net::Task<Result<QueueOffset>> offset_at(MessageQueue queue, std::int64_t epoch_ms);

  // Nothing of them until resume().
  void pause(const std::vector<MessageQueue>& queues) { set_paused(queues, true); }
  void resume(const std::vector<MessageQueue>& queues) { set_paused(queues, false); }

 private:
  struct Core;
  void set_paused(const std::vector<MessageQueue>& queues, bool paused);
  std::shared_ptr<Core> core_;
};

}  // namespace rmq::client
