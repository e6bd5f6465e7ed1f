// ConsumeLoad: messages consumed by a push consumer, a member of a group like any other: listener,
// commits, rebalancing and all.
// Threads: as said at each call.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "client/client.h"
#include "client/push_consumer.h"
#include "load/load_result.h"
#include "net/task.h"

namespace rmq::load {

struct ConsumeLoadOptions {
  std::vector<std::string> topics;
  std::string group;
  std::string expression = "*";
  std::size_t listener_threads = 4;
  std::size_t batch = 1;    // most messages of one call of the listener
  bool from_first = false;  // where a new group begins
};

class ConsumeLoad {
 public:
  // `client` must outlive it.
  ConsumeLoad(client::Client& client, ConsumeLoadOptions options);

  // Joins the group; `window` is what will be measured. On the control thread; once. Errors: as
  // client::PushConsumer::subscribe() and start(); ResponseCode::TopicNotExist.
  net::Task<Result<>> start(Window window);
  // Leaves the group. The latencies are those from a message's store time to its listener, in whole
  // milliseconds. On the control thread.
  net::Task<> leave();
  // After leave(), on no io thread.
  LoadResult finish();

  // Received so far. Any thread.
  std::uint64_t messages() const { return messages_.load(std::memory_order_relaxed); }

 private:
  client::Consumed on_messages(const client::MessageBatch& messages);

  client::Client& client_;
  const ConsumeLoadOptions options_;
  Window window_;
  std::atomic<std::uint64_t> messages_{0};
  Mutex mutex_;
  LoadResult result_ RMQ_GUARDED_BY(mutex_);
  client::PushConsumer consumer_;
};

}  // namespace rmq::load
