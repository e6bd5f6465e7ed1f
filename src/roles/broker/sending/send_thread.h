// SendThread: what the send path keeps per data thread: its view of the topics, the turn under way
// and what of it is still to be done, memory for reuse. Threads: its data thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/flat_index.h"
#include "base/snapshot.h"
#include "net/service.h"
#include "protocol/send.h"
#include "roles/broker/sending/append_turn.h"
#include "roles/broker/sending/send_target.h"
#include "roles/broker/topics/topic_table.h"

namespace rmq::roles::broker {

// A send that is in no turn yet. Views its frame.
struct ReceivedSend {
  protocol::SendMessageRequest request;
  net::Asked asked;
  std::int32_t version = 0;
  ByteView body;
};

class SendThread {
 public:
  explicit SendThread(const TopicTable& topics) : topics_(topics.snapshot()) {}

  // Valid until the next call.
  const TopicTableMap& topics() {
    refresh();
    return topics_.get();
  }
  // What remember_target() was told, unless topics have changed since; else null. Valid until the
  // next call.
  const SendTarget* target(std::string_view topic, QueueId queue_id) {
    refresh();
    return targets_.find(storage::queue_hash(topic, queue_id), [&](const SendTarget& target) {
      return target.queue->queue_id() == queue_id && target.queue->topic() == topic;
    });
  }
  void remember_target(const SendTarget& target) {
    targets_.insert(storage::queue_hash(target.queue->topic(), target.queue->queue_id()), target);
  }

  // What target() and who uses its answer will read is in the processor's caches soon: first the
  // table, then the queue. With very many queues they have neither.
  void prefetch_target(std::string_view topic, QueueId queue_id) const {
    targets_.prefetch(storage::queue_hash(topic, queue_id));
  }
  void prefetch_queue(std::string_view topic, QueueId queue_id) const {
    const SendTarget* likely =
        targets_.find(storage::queue_hash(topic, queue_id), [](const auto&) { return true; });
    if (likely != nullptr) __builtin_prefetch(likely->queue);
  }

  // Sends of the turn under way that are not in turn() yet, kReceivedMax at most.
  static constexpr std::size_t kReceivedMax = 16;
  std::vector<ReceivedSend>& received() { return received_; }

  // The turn under way; made by its first send.
  AppendTurn& turn() {
    if (!turn_) {
      if (spare_.empty()) spare_.push_back(std::make_shared<AppendTurn>());
      turn_ = std::move(spare_.back());
      spare_.pop_back();
    }
    return *turn_;
  }
  // What came since the last part is a part, of `connection`. False when nothing came.
  bool end_part(net::Connection& connection) {
    const std::size_t begin = turn().parts.empty() ? 0 : turn().parts.back().end;
    const std::size_t end = turn().sends.size();
    if (end == begin) return false;
    turn().parts.push_back({connection.shared_from_this(), end});
    connection.add_pending(end - begin);
    return true;
  }
  // Worth an append of its own: no other connection is waited for.
  bool is_full() {
    return turn().sends.size() >= kFullSends || turn().batch->buffer().size() >= kFullBytes;
  }
  // The turn ends: its sends, or nothing when it has none.
  std::shared_ptr<AppendTurn> end_turn() {
    if (!turn_ || turn_->sends.empty()) return nullptr;
    return std::exchange(turn_, nullptr);
  }

  // An answered turn's memory.
  void give_back(const std::shared_ptr<AppendTurn>& turn) {
    turn->parts.clear();
    turn->sends.clear();
    turn->batch->clear();
    if (spare_.size() >= kSpareMax || turn->batch->buffer().capacity() > kSpareBytesMax) return;
    spare_.push_back(turn);
  }

  std::string& properties() { return properties_; }
  QueueId random_queue(std::int32_t count) {
    return std::uniform_int_distribution<QueueId>(0, count - 1)(random_);
  }

 private:
  void refresh() {
    if (topics_.refresh()) targets_.clear();
  }

  static constexpr std::size_t kFullSends = 64;
  static constexpr std::size_t kFullBytes = std::size_t{64} * 1024;
  static constexpr std::size_t kSpareMax = 16;
  static constexpr std::size_t kSpareBytesMax = 1024 * 1024;

  SnapshotReader<TopicTableMap> topics_;
  FlatIndex<SendTarget> targets_;
  std::vector<ReceivedSend> received_;
  std::shared_ptr<AppendTurn> turn_;
  std::vector<std::shared_ptr<AppendTurn>> spare_;
  std::string properties_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace rmq::roles::broker
