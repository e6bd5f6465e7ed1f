// GroupConsumer: what push consumers and lite pull consumers have in common: a member of a group
// that shares the queues of its topics with the others (or, broadcasting, reads all of them), pulls
// them with one long poll each, keeps offsets, and does what brokers ask of it. What becomes of the
// messages is a QueueHandler's business.
// Memory: what is pulled and not done is bounded per queue and over all queues; beyond that a queue
// is pulled only while it has nothing, so at most one answer each more.
// Threads: all of it on the io threads' control thread, "home".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/assigned_queue.h"
#include "client/client.h"
#include "client/offset_store.h"
#include "client/pull_consumer.h"
#include "client/task_group.h"
#include "net/service.h"
#include "protocol/client_body.h"

namespace rmq::client {

using protocol::MessageModel;

struct GroupOptions {
  std::string group;
  MessageModel model = MessageModel::Clustering;
  protocol::ConsumeType type = protocol::ConsumeType::Passively;
  ConsumeFrom from = ConsumeFrom::LastOffset;
  std::int64_t from_timestamp_ms = 0;
  bool orderly = false;  // each queue is locked at its broker while it is read
  std::chrono::milliseconds lock_interval{20'000};  // between renewals
  std::int32_t pull_messages_max = 32;
  std::chrono::milliseconds hold{15'000};  // how long brokers hold a pull that has nothing
  // And how much later than that the answer may come. Brokers look only now and then.
  std::chrono::milliseconds answer_timeout{10'000};
  std::size_t queue_messages_max = 1'000;
  std::size_t queue_bytes_max = std::size_t{16} * 1024 * 1024;
  std::int64_t queue_span_max = 2'000;  // from the first message not done to the last
  std::size_t bytes_max = std::size_t{128} * 1024 * 1024;  // over all queues
  std::chrono::milliseconds commit_interval{5'000};        // 0: only when told
  // Whether a stretch of the queue that has nothing for the group counts as consumed at once.
  bool commits_what_it_skips = true;
  std::string offsets_directory;  // of a broadcasting consumer; empty: Java's
};

class QueueHandler {
 public:
  virtual ~QueueHandler() = default;
  // Messages came, or the queue may go on for another reason.
  virtual void on_messages(const QueuePtr& queue) = 0;
  // A request of a broker that concerns listeners: 307 or 309. Answers by `responder`.
  virtual void on_server_request(protocol::Command request, net::Responder responder) = 0;
};

class GroupConsumer {
 public:
  // `client` and `handler` must outlive it.
  GroupConsumer(Client& client, GroupOptions options, QueueHandler& handler);
  ~GroupConsumer();
  // What keeps this object, and whatever calls back into it from other threads. Before start().
  void set_owner(std::weak_ptr<void> owner) { owner_ = std::move(owner); }

  // Also while it runs. Errors: ProtocolErrc::FieldMalformed.
  Result<> subscribe(std::string topic, std::string expression, std::string expression_type);
  void unsubscribe(const std::string& topic);
  // Reads these queues, whoever else does, instead of the share of its subscriptions.
  void assign(std::vector<MessageQueue> queues);

  // Returns when the brokers know it and the first queues are read, if any can be. Errors:
  // ClientErrc::GroupInUse.
  net::Task<Result<>> start();
  // Gives listeners `patience` to end; then commits, unlocks, unregisters.
  net::Task<> shutdown(std::chrono::milliseconds patience);
  net::Task<> commit();
  // Goes on at `offset`; what it has of the queue is dropped. A queue that was assigned but is not
  // read yet begins there.
  enum class Commit { No, Yes };
  void restart(const MessageQueue& queue, QueueOffset offset, Commit commit);

  // These messages are done: the group has come to what lies before the others.
  void done(const QueuePtr& queue, const std::vector<MessagePtr>& messages);
  // They leave the memory only. The offset that done() would have told.
  std::optional<QueueOffset> remove(const QueuePtr& queue, const std::vector<MessagePtr>& messages);
  // Of queue_puller.h.
  void put(const QueuePtr& queue, const std::vector<MessagePtr>& messages);
  bool is_full(const AssignedQueue& queue) const;
  // Whether listeners may have its messages now.
  bool may_consume(const AssignedQueue& queue) const;
  const protocol::SubscriptionData* subscription(const std::string& topic) const;

  Client& client() { return client_; }
  QueueHandler& handler() { return handler_; }
  net::IoThread& home() { return client_.threads().control(); }
  const GroupOptions& options() const { return options_; }
  const TaskGroup& tasks() const { return tasks_; }
  OffsetStore& offsets() { return *offsets_; }
  const std::map<MessageQueue, QueuePtr>& queues() const { return queues_; }
  const std::map<std::string, protocol::SubscriptionData>& subscriptions() const {
    return subscriptions_;
  }
  const std::optional<std::vector<MessageQueue>>& assigned() const { return assigned_; }
  std::shared_ptr<void> owner() const { return owner_.lock(); }
  bool broadcasts() const { return options_.model == MessageModel::Broadcasting; }
  bool needs_locks() const { return options_.orderly && !broadcasts(); }
  std::size_t cached_bytes() const { return cached_bytes_; }
  std::int64_t started_ms() const { return started_ms_; }
  GroupMember member() const { return {options_.group, client_.client_id()}; }

 private:
  void on_subscriptions_changed();
  void rebalance_soon();
  net::Task<> keep_balanced();
  net::Task<> keep_committing();
  net::Task<> keep_locks();
  net::Task<bool> rebalance();
  net::Task<bool> restart_queues();
  net::Task<Result<std::vector<MessageQueue>>> share_of(std::string topic);
  net::Task<Result<std::vector<std::string>>> member_ids(SharedRoute route);
  net::Task<bool> acquire(MessageQueue queue, std::optional<QueueOffset> from);
  net::Task<Result<QueueOffset>> first_offset(MessageQueue queue);
  net::Task<bool> give_up(QueuePtr queue, std::chrono::milliseconds patience);
  void forget(const QueuePtr& queue);
  // Locks them anew; those that are not held any more stop.
  net::Task<> lock_all();
  net::Task<> unlock_all(std::vector<MessageQueue> queues);
  std::vector<MessageQueue> queue_names() const;
  protocol::ConsumerData describe() const;
  void serve_requests();
  void on_request(protocol::Command request, net::Responder responder);
  void on_reset(const protocol::Command& request);

  Client& client_;
  const GroupOptions options_;
  QueueHandler& handler_;
  std::weak_ptr<void> owner_;
  std::unique_ptr<OffsetStore> offsets_;
  PullConsumer reader_;  // for the ends of queues
  TaskGroup tasks_;
  Signal wake_;
  bool wanted_ = false;  // a rebalance, since the last one began
  bool running_ = false;
  std::int64_t started_ms_ = 0;
  std::size_t cached_bytes_ = 0;
  std::map<std::string, protocol::SubscriptionData> subscriptions_;
  std::optional<std::vector<MessageQueue>> assigned_;
  std::map<MessageQueue, QueuePtr> queues_;
  struct Restart {
    QueueOffset offset;
    Commit commit = Commit::No;
  };
  std::map<MessageQueue, Restart> restarts_;
};

}  // namespace rmq::client
