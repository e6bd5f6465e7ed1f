#include "load/consume_load.h"

#include <chrono>
#include <utility>

namespace rmq::load {
namespace {

constexpr std::chrono::seconds kRouteTimeout{5};

client::PushConsumerOptions consumer_options(const ConsumeLoadOptions& options) {
  client::PushConsumerOptions consumer;
  consumer.group.group = options.group;
  consumer.group.from =
      options.from_first ? client::ConsumeFrom::FirstOffset : client::ConsumeFrom::LastOffset;
  consumer.consumption.threads = options.listener_threads;
  consumer.consumption.batch_max = options.batch;
  return consumer;
}

}  // namespace

ConsumeLoad::ConsumeLoad(client::Client& client, ConsumeLoadOptions options)
    : client_(client),
      options_(std::move(options)),
      consumer_(client, consumer_options(options_),
                [this](const client::MessageBatch& messages, client::ConsumeContext&) {
                  return on_messages(messages);
                }) {}

client::Consumed ConsumeLoad::on_messages(const client::MessageBatch& messages) {
  messages_.fetch_add(messages.size(), std::memory_order_relaxed);
  if (window_.contains(std::chrono::steady_clock::now())) {
    const std::int64_t now_ms = client_.clock().now_ms();
    MutexLock lock(mutex_);
    ++result_.requests;
    result_.messages += messages.size();
    for (const auto& message : messages) {
      result_.bytes += message->body.size();
      result_.latency.record(std::chrono::milliseconds(now_ms - message->store_timestamp_ms));
    }
  }
  return client::Consumed::Done;
}

net::Task<Result<>> ConsumeLoad::start(Window window) {
  window_ = window;
  for (const std::string& topic : options_.topics) {
    const auto route = co_await client_.routes().get(topic, kRouteTimeout);
    if (!route) co_return fail(route.error());
    RMQ_CO_CHECK(consumer_.subscribe(topic, options_.expression));
  }
  co_return co_await consumer_.start();
}

net::Task<> ConsumeLoad::leave() { co_await consumer_.shutdown(); }

LoadResult ConsumeLoad::finish() {
  (void)consumer_.join();
  MutexLock lock(mutex_);
  return result_;
}

}  // namespace rmq::load
