// FakeGroupBroker: a broker for FakeCluster that has one queue of "T" with messages for a consumer
// group, and answers what a member of the group asks.
// Lifetime: it outlives the cluster.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "client/push_consumer.h"
#include "protocol/client_body.h"
#include "protocol/message_record.h"
#include "protocol/offset.h"
#include "protocol/pull.h"
#include "tests/support/fake_cluster.h"

namespace rmq::test {

class FakeGroupBroker {
 public:
  std::int64_t begin = 0;
  std::int64_t end = 0;  // of the queue: the messages `begin` .. `end` - 1
  std::size_t body_bytes = 10;
  std::optional<std::int64_t> committed;
  std::int64_t at_time = 0;  // what a look-up by time finds
  std::vector<std::string> members;
  std::atomic<bool> refuses_send_back{false};
  std::atomic<bool> refuses_locks{false};

  FakeServer::Answer answer() {
    return [this](const protocol::CommandView& request) { return on_request(request); };
  }
  // Messages that come while the consumer runs. A pull that is held is not woken.
  void set_end(std::int64_t value) {
    MutexLock lock(mutex_);
    end = value;
  }
  std::vector<std::int64_t> pulls() {
    MutexLock lock(mutex_);
    return pulls_;
  }
  std::vector<std::int64_t> commits() {
    MutexLock lock(mutex_);
    return commits_;
  }

 private:
  std::optional<net::Response> on_request(const protocol::CommandView& request) {
    using protocol::RequestCode;
    MutexLock lock(mutex_);
    switch (static_cast<RequestCode>(request.code)) {
      case RequestCode::GetConsumerListByGroup:
        return respond_body(protocol::encode_consumer_list(members));
      case RequestCode::QueryConsumerOffset:
        if (!committed) return refuse(22, "not found");
        return offset(*committed);
      case RequestCode::GetMaxOffset:
        return offset(end);
      case RequestCode::SearchOffsetByTimestamp:
        return offset(at_time);
      case RequestCode::UpdateConsumerOffset: {
        const auto header = protocol::decode_fields<protocol::UpdateConsumerOffsetRequest>(request);
        committed = header->commit_offset.value;
        commits_.push_back(*committed);
        return net::Response{};
      }
      case RequestCode::LockBatchMq: {
        auto body = protocol::decode_lock_batch(as_text(request.body));
        if (refuses_locks) body->queues.clear();
        return respond_body(protocol::encode_lock_batch_answer(body->queues));
      }
      case RequestCode::ConsumerSendMsgBack:
        return refuses_send_back ? refuse(1, "cannot") : net::Response{};
      case RequestCode::PullMessage:
        return pull(request);
      default:
        return net::Response{};
    }
  }

  static net::Response offset(std::int64_t value) {
    return respond(protocol::OffsetResponse{.offset = QueueOffset{value}});
  }

  std::optional<net::Response> pull(const protocol::CommandView& request) RMQ_REQUIRES(mutex_) {
    const auto header = protocol::decode_fields<protocol::PullMessageRequest>(request);
    const std::int64_t from = header->queue_offset.value;
    pulls_.push_back(from);
    protocol::PullMessageResponse response;
    response.min_offset = QueueOffset{begin};
    response.max_offset = QueueOffset{end};
    if (from < begin || from > end) {
      response.next_begin_offset = QueueOffset{from < begin ? begin : end};
      return respond(response, 21);
    }
    if (from == end) return std::nullopt;  // held
    const std::int64_t until = std::min<std::int64_t>(end, from + header->max_msg_nums);
    response.next_begin_offset = QueueOffset{until};
    net::Response found = respond(response);
    const Bytes body(body_bytes, std::byte{'x'});
    for (std::int64_t at = from; at < until; ++at) {
      protocol::MessageRecord record;
      record.topic = header->topic;
      record.queue_id = header->queue_id;
      record.queue_offset = QueueOffset{at};
      record.body = body;
      protocol::encode_record(record, found.body);
    }
    return found;
  }

  Mutex mutex_;
  std::vector<std::int64_t> pulls_ RMQ_GUARDED_BY(mutex_);
  std::vector<std::int64_t> commits_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::test
