#include "client/facade.h"

#include <span>

#include "base/mutex.h"
#include "client/producer.h"

namespace rmq::api {
namespace {

client::ProducerOptions to_producer_options(const ProducerOptions& options) {
  client::ProducerOptions result;
  result.group = options.group;
  result.retries = options.retries;
  result.async_in_flight_max = options.async_in_flight_max;
  return result;
}

// How long a shutdown waits for callbacks.
constexpr std::chrono::seconds kCallbackPatience{10};

// Callbacks to come, or running.
struct PendingCallbacks {
  Mutex mutex;
  Condition changed;
  std::size_t count RMQ_GUARDED_BY(mutex) = 0;
};

}  // namespace

class Producer::Impl {
 public:
  Impl(std::shared_ptr<Client::Impl> client, const ProducerOptions& options)
      : client_(std::move(client)), producer_(client_->client(), to_producer_options(options)) {
    client_->run<void>([this] { return producer_.start(); });
  }
  ~Impl() { shutdown(); }

  void shutdown() {
    client_->run<void>([this] { return producer_.shutdown(); });
    const SteadyTime deadline = std::chrono::steady_clock::now() + kCallbackPatience;
    MutexLock lock(pending_->mutex);
    while (pending_->count > 0 && pending_->changed.wait_until(pending_->mutex, deadline)) {
    }
  }
  void send_async(Message message, Callback done, std::chrono::milliseconds timeout) {
    {
      MutexLock lock(pending_->mutex);
      ++pending_->count;
    }
    producer_.send_async(
        from_api(std::move(message)), timeout,
        [this, done = std::move(done)](Result<client::SendResult> sent) {
          client_->callbacks().submit([pending = pending_, done, result = outcome(sent)] {
            done(result);
            MutexLock lock(pending->mutex);
            --pending->count;
            pending->changed.notify_all();
          });
        });
  }

  Outcome<Receipt> send(std::function<net::Task<Result<client::SendResult>>()> start) {
    return outcome(client_->run<Result<client::SendResult>>(std::move(start)));
  }

  Client::Impl& client() { return *client_; }
  client::Producer& producer() { return producer_; }

 private:
  std::shared_ptr<Client::Impl> client_;
  client::Producer producer_;
  const std::shared_ptr<PendingCallbacks> pending_ = std::make_shared<PendingCallbacks>();
};

Producer::Producer(const Client& client, ProducerOptions options)
    : impl_(std::make_unique<Impl>(client.impl(), options)) {}
Producer::~Producer() = default;
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&&) noexcept = default;

void Producer::shutdown() { impl_->shutdown(); }

Outcome<Receipt> Producer::send(Message message, std::chrono::milliseconds timeout) {
  client::Message ours = from_api(std::move(message));
  return impl_->send([&] { return impl_->producer().send(std::move(ours), timeout); });
}

Outcome<Receipt> Producer::send_to(Message message, Queue queue,
                                   std::chrono::milliseconds timeout) {
  client::Message ours = from_api(std::move(message));
  client::MessageQueue to = from_api(std::move(queue));
  return impl_->send(
      [&] { return impl_->producer().send_to(std::move(ours), std::move(to), timeout); });
}

Outcome<Receipt> Producer::send_by_key(Message message, std::string key,
                                       std::chrono::milliseconds timeout) {
  client::Message ours = from_api(std::move(message));
  client::QueueChooser choose = client::by_key_hash(std::move(key));
  return impl_->send(
      [&] { return impl_->producer().send_by(std::move(ours), std::move(choose), timeout); });
}

Outcome<Receipt> Producer::send_by(Message message, Chooser choose,
                                   std::chrono::milliseconds timeout) {
  client::Message ours = from_api(std::move(message));
  client::QueueChooser chooser = [&choose](std::span<const client::MessageQueue> queues) {
    return choose(to_api(std::vector<client::MessageQueue>(queues.begin(), queues.end())));
  };
  return impl_->send(
      [&] { return impl_->producer().send_by(std::move(ours), std::move(chooser), timeout); });
}

Outcome<Receipt> Producer::send_batch(std::vector<Message> messages,
                                      std::chrono::milliseconds timeout) {
  std::vector<client::Message> ours;
  for (Message& message : messages) ours.push_back(from_api(std::move(message)));
  return impl_->send([&] { return impl_->producer().send_batch(std::move(ours), timeout); });
}

Outcome<Done> Producer::send_oneway(Message message, std::chrono::milliseconds timeout) {
  client::Message ours = from_api(std::move(message));
  return outcome(impl_->client().run<Result<>>(
      [&] { return impl_->producer().send_oneway(std::move(ours), timeout); }));
}

void Producer::send_async(Message message, Callback done, std::chrono::milliseconds timeout) {
  impl_->send_async(std::move(message), std::move(done), timeout);
}

}  // namespace rmq::api
