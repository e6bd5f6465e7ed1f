#include "client/facade.h"
#include "client/lite_pull_consumer.h"
#include "client/push_consumer.h"

namespace rmq::api {
namespace {

client::ConsumeFrom to_from(From from) {
  switch (from) {
    case From::Last:
      return client::ConsumeFrom::LastOffset;
    case From::First:
      return client::ConsumeFrom::FirstOffset;
    case From::Timestamp:
      return client::ConsumeFrom::Timestamp;
  }
  return client::ConsumeFrom::LastOffset;
}

client::GroupOptions to_group_options(const ConsumerOptions& options) {
  client::GroupOptions group;
  group.group = options.group;
  group.model = options.model == Model::Clustering ? client::MessageModel::Clustering
                                                   : client::MessageModel::Broadcasting;
  group.from = to_from(options.from);
  group.from_timestamp_ms = options.from_timestamp_ms;
  group.bytes_max = options.cached_bytes_max;
  group.offsets_directory = options.offsets_directory;
  return group;
}

client::PushConsumerOptions to_push_options(const ConsumerOptions& options) {
  client::PushConsumerOptions push;
  push.group = to_group_options(options);
  push.consumption.orderly = options.orderly;
  push.consumption.threads = options.threads;
  push.consumption.batch_max = options.batch_max;
  push.consumption.reconsume_times_max = options.reconsume_times_max;
  push.patience = options.shutdown_patience;
  return push;
}

client::LitePullOptions to_pull_options(const ConsumerOptions& options) {
  client::LitePullOptions pull;
  pull.group = to_group_options(options);
  pull.auto_commit = options.auto_commit;
  pull.poll_max = options.batch_max;
  return pull;
}

client::Listener to_listener(const ConsumerOptions& options, PushConsumer::Listener listener) {
  return [delay_level = options.retry_delay_level, suspend = options.suspend,
          listener = std::move(listener)](const client::MessageBatch& batch,
                                          client::ConsumeContext& context) {
    context.delay_level = delay_level;
    context.suspend = suspend;
    return listener(to_api(batch)) == Consumed::Done ? client::Consumed::Done
                                                     : client::Consumed::Later;
  };
}

}  // namespace

class PushConsumer::Impl {
 public:
  Impl(std::shared_ptr<Client::Impl> c, const ConsumerOptions& options, Listener listener)
      : client(std::move(c)),
        consumer(client->client(), to_push_options(options),
                 to_listener(options, std::move(listener))) {}
  ~Impl() { shutdown(); }

  void shutdown() {
    client->run<void>([this] { return consumer.shutdown(); });
    (void)consumer.join();
  }
  Outcome<Done> subscribe(std::string topic, std::string expression, std::string type) {
    Result<> result;
    client->on_control([&] { result = consumer.subscribe(topic, expression, type); });
    return outcome(result);
  }

  std::shared_ptr<Client::Impl> client;
  client::PushConsumer consumer;
};

PushConsumer::PushConsumer(const Client& client, ConsumerOptions options, Listener listener)
    : impl_(std::make_unique<Impl>(client.impl(), options, std::move(listener))) {}
PushConsumer::~PushConsumer() = default;
PushConsumer::PushConsumer(PushConsumer&&) noexcept = default;
PushConsumer& PushConsumer::operator=(PushConsumer&&) noexcept = default;

Outcome<Done> PushConsumer::subscribe(std::string topic, std::string tags) {
  return impl_->subscribe(std::move(topic), std::move(tags), "TAG");
}

void PushConsumer::unsubscribe(std::string topic) {
  impl_->client->on_control([&] { impl_->consumer.unsubscribe(topic); });
}

Outcome<Done> PushConsumer::subscribe_sql(std::string topic, std::string expression) {
  return impl_->subscribe(std::move(topic), std::move(expression), "SQL92");
}

Outcome<Done> PushConsumer::start() {
  return outcome(impl_->client->run<Result<>>([this] { return impl_->consumer.start(); }));
}

void PushConsumer::shutdown() { impl_->shutdown(); }

std::vector<Queue> PushConsumer::queues() const {
  std::vector<Queue> queues;
  impl_->client->on_control([&] { queues = to_api(impl_->consumer.queues()); });
  return queues;
}

class PullConsumer::Impl {
 public:
  Impl(std::shared_ptr<Client::Impl> c, const ConsumerOptions& options)
      : client(std::move(c)), consumer(client->client(), to_pull_options(options)) {}
  ~Impl() { shutdown(); }

  void shutdown() {
    client->run<void>([this] { return consumer.shutdown(); });
  }
  Outcome<Done> run(std::function<net::Task<Result<>>()> start) {
    return outcome(client->run<Result<>>(std::move(start)));
  }

  std::shared_ptr<Client::Impl> client;
  client::LitePullConsumer consumer;
};

PullConsumer::PullConsumer(const Client& client, ConsumerOptions options)
    : impl_(std::make_unique<Impl>(client.impl(), options)) {}
PullConsumer::~PullConsumer() = default;
PullConsumer::PullConsumer(PullConsumer&&) noexcept = default;
PullConsumer& PullConsumer::operator=(PullConsumer&&) noexcept = default;

Outcome<Done> PullConsumer::subscribe(std::string topic, std::string tags) {
  Result<> result;
  impl_->client->on_control([&] { result = impl_->consumer.subscribe(topic, tags); });
  return outcome(result);
}

void PullConsumer::assign(std::vector<Queue> queues) {
  impl_->client->on_control([&] { impl_->consumer.assign(from_api(std::move(queues))); });
}

Outcome<std::vector<Queue>> PullConsumer::fetch_queues(std::string topic) {
  const auto queues = impl_->client->run<Result<std::vector<client::MessageQueue>>>(
      [&] { return impl_->consumer.fetch_queues(topic); });
  if (!queues) return to_api(queues.error());
  return to_api(*queues);
}

Outcome<Done> PullConsumer::start() {
  return impl_->run([this] { return impl_->consumer.start(); });
}

void PullConsumer::shutdown() { impl_->shutdown(); }

std::vector<Received> PullConsumer::poll(std::chrono::milliseconds timeout) {
  return to_api(
      impl_->client->run<client::MessageBatch>([&] { return impl_->consumer.poll(timeout); }));
}

void PullConsumer::commit() {
  impl_->client->run<void>([this] { return impl_->consumer.commit(); });
}

Outcome<std::optional<std::int64_t>> PullConsumer::committed(Queue queue) {
  client::MessageQueue ours = from_api(std::move(queue));
  const auto kept = impl_->client->run<Result<std::optional<QueueOffset>>>(
      [&] { return impl_->consumer.committed(ours); });
  if (!kept) return to_api(kept.error());
  if (!*kept) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>((*kept)->value);
}

Outcome<std::int64_t> PullConsumer::offset_at(Queue queue, std::int64_t epoch_ms) {
  client::MessageQueue ours = from_api(std::move(queue));
  const auto offset = impl_->client->run<Result<QueueOffset>>(
      [&] { return impl_->consumer.offset_at(ours, epoch_ms); });
  if (!offset) return to_api(offset.error());
  return offset->value;
}

Outcome<Done> PullConsumer::seek(Queue queue, std::int64_t offset) {
  client::MessageQueue ours = from_api(std::move(queue));
  return impl_->run([&] { return impl_->consumer.seek(ours, QueueOffset{offset}); });
}

Outcome<Done> PullConsumer::seek_to_begin(Queue queue) {
  client::MessageQueue ours = from_api(std::move(queue));
  return impl_->run([&] { return impl_->consumer.seek_to_begin(ours); });
}

Outcome<Done> PullConsumer::seek_to_end(Queue queue) {
  client::MessageQueue ours = from_api(std::move(queue));
  return impl_->run([&] { return impl_->consumer.seek_to_end(ours); });
}

void PullConsumer::pause(std::vector<Queue> queues) {
  impl_->client->on_control([&] { impl_->consumer.pause(from_api(std::move(queues))); });
}

void PullConsumer::resume(std::vector<Queue> queues) {
  impl_->client->on_control([&] { impl_->consumer.resume(from_api(std::move(queues))); });
}

std::vector<Queue> PullConsumer::queues() const {
  std::vector<Queue> queues;
  impl_->client->on_control([&] { queues = to_api(impl_->consumer.queues()); });
  return queues;
}

}  // namespace rmq::api
