// PullConsumer: reads queues that the caller picks, from where the caller says. Nothing is
// committed and no other consumer of the group is looked at. Threads: any; a call resumes on the
// thread that awaits it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "client/client.h"
#include "client/message.h"
#include "client/pull_request.h"
#include "net/task.h"
#include "protocol/request_codes.h"

namespace rmq::client {

struct PullConsumerOptions {
  // A group that brokers make at their start for tools, so that reading leaves no group behind.
  std::string group = "TOOLS_CONSUMER";
  std::string tags = "*";  // or "a || b"; checked by the broker by hash, and here by name
  std::int32_t max_messages = 32;
  std::chrono::milliseconds timeout{
      5'000};  // of one answer, not counting what the broker holds a pull
};

class PullConsumer {
 public:
  // `client` must outlive it.
  PullConsumer(Client& client, PullConsumerOptions options);

  // All readable queues. Errors: ResponseCode::TopicNotExist, NetErrc, ClientErrc::NoQueue.
  net::Task<Result<std::vector<MessageQueue>>> queues(std::string topic);
  // First offset that exists, one past the last, and the first message stored at or after a time.
  net::Task<Result<QueueOffset>> begin_offset(MessageQueue queue);
  net::Task<Result<QueueOffset>> end_offset(MessageQueue queue);
  net::Task<Result<QueueOffset>> offset_at(MessageQueue queue, std::int64_t epoch_ms);

  // Messages from `from` on. When there are none yet, the broker holds the request up to `hold` (0:
  // answers at once). Errors: ResponseCode (16: not readable, 17: topic gone, 29: no such queue
  // ...), NetErrc, ClientErrc::BrokerUnknown.
  net::Task<Result<PullResult>> pull(MessageQueue queue, QueueOffset from,
                                     std::chrono::milliseconds hold);

  // Ends held pulls, with NetErrc::ConnectionClosed, by closing the connections to the brokers that
  // were asked.
  net::Task<> disconnect();

 private:
  net::Task<Result<std::string>> address_of(const MessageQueue& queue, std::int64_t preferred_id);
  template <class Request>
  net::Task<Result<QueueOffset>> ask_offset(MessageQueue queue, protocol::RequestCode code,
                                            Request request);
  std::int64_t preferred_broker(const MessageQueue& queue);
  void prefer_broker(const MessageQueue& queue, std::int64_t id);

  Client& client_;
  const PullConsumerOptions options_;
  const protocol::SubscriptionData subscription_;
  Mutex mutex_;
  // The replica that the broker last suggested to read from.
  std::map<MessageQueue, std::int64_t> preferred_ RMQ_GUARDED_BY(mutex_);
  std::set<std::string> used_addresses_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::client
