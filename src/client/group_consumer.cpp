#include "client/group_consumer.h"

#include <utility>

#include "base/log.h"
#include "client/client_errc.h"
#include "client/local_offsets.h"
#include "protocol/offset_body.h"
#include "protocol/request_codes.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;

constexpr std::string_view kRetryTopicPrefix = "%RETRY%";
// A lock that was not renewed for so long may be another's (RocketMQ ProcessQueue.java).
constexpr std::chrono::seconds kLockValid{30};

std::unique_ptr<OffsetStore> make_offsets(Client& client, const GroupOptions& options) {
  if (options.model == MessageModel::Clustering) {
    return std::make_unique<BrokerOffsets>(client, options.group);
  }
  const std::string directory =
      options.offsets_directory.empty() ? default_offsets_directory() : options.offsets_directory;
  return std::make_unique<LocalOffsets>(FileSystem::posix(), directory, client.client_id(),
                                        options.group);
}

PullConsumerOptions reader_options(const GroupOptions& options) {
  PullConsumerOptions reader;
  reader.group = options.group;
  return reader;
}

protocol::ConsumeFromWhere to_protocol(ConsumeFrom from) {
  switch (from) {
    case ConsumeFrom::LastOffset:
      return protocol::ConsumeFromWhere::LastOffset;
    case ConsumeFrom::FirstOffset:
      return protocol::ConsumeFromWhere::FirstOffset;
    case ConsumeFrom::Timestamp:
      return protocol::ConsumeFromWhere::Timestamp;
  }
  return protocol::ConsumeFromWhere::LastOffset;
}

}  // namespace

GroupConsumer::GroupConsumer(Client& client, GroupOptions options, QueueHandler& handler)
    : client_(client),
      options_(std::move(options)),
      handler_(handler),
      offsets_(make_offsets(client, options_)),
      reader_(client, reader_options(options_)) {}

GroupConsumer::~GroupConsumer() { RMQ_ASSERT(!running_); }

Result<> GroupConsumer::subscribe(std::string topic, std::string expression,
                                  std::string expression_type) {
  RMQ_TRY(protocol::SubscriptionData data,
          make_subscription(topic, std::move(expression), std::move(expression_type),
                            client_.clock().now_ms()));
  subscriptions_[topic] = std::move(data);
  on_subscriptions_changed();
  return {};
}

void GroupConsumer::unsubscribe(const std::string& topic) {
  subscriptions_.erase(topic);
  on_subscriptions_changed();
}

void GroupConsumer::on_subscriptions_changed() {
  if (!running_) return;
  rebalance_soon();
  tasks_.spawn(home(), "tell subscriptions", [this] { return client_.heartbeats().beat(); });
}

void GroupConsumer::assign(std::vector<MessageQueue> queues) {
  assigned_ = std::move(queues);
  rebalance_soon();
}

net::Task<Result<>> GroupConsumer::start() {
  RMQ_ASSERT(home().is_current());
  if (!broadcasts() && options_.type == protocol::ConsumeType::Passively) {
    // What failed comes back in a topic of the group's own.
    const std::string retry_topic = std::string(kRetryTopicPrefix) + options_.group;
    RMQ_CO_CHECK(subscribe(retry_topic, "*", "TAG"));
  }
  started_ms_ = client_.clock().now_ms();
  const auto subscriptions = subscriptions_;
  for (const auto& [topic, data] : subscriptions) {
    // Heartbeats go to the brokers of known routes. A topic that is not there yet may come.
    const Result<SharedRoute> route = co_await client_.routes().get(topic, kGroupCallTimeout);
    if (route) continue;
    log::debug("client", "no route yet", kv("topic", topic), kv("why", route.error().message()));
  }
  Heartbeats::Describe describing = [this] { return describe(); };
  const bool joined =
      co_await client_.heartbeats().join_consumer(options_.group, std::move(describing));
  if (!joined) co_return fail(ClientErrc::GroupInUse, options_.group);
  running_ = true;
  serve_requests();
  (void)co_await rebalance();
  tasks_.spawn(home(), "rebalance", [this] { return keep_balanced(); });
  if (options_.commit_interval.count() > 0) {
    tasks_.spawn(home(), "commit offsets", [this] { return keep_committing(); });
  }
  if (needs_locks()) tasks_.spawn(home(), "renew locks", [this] { return keep_locks(); });
  co_return Result<>{};
}

net::Task<> GroupConsumer::shutdown(std::chrono::milliseconds patience) {
  if (!running_) co_return;
  client_.server_requests().forget(options_.group);
  tasks_.stop();
  wake_.notify();
  const auto queues = queues_;
  for (const auto& [name, queue] : queues) queue->close();
  const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
  for (const auto& [name, queue] : queues) {
    const bool idle = co_await queue->idle(deadline);
    if (!idle) {
      log::warn("client", "a listener has not ended: its messages will be consumed again",
                kv("group", options_.group), kv("topic", name.topic));
    }
    forget(queue);
  }
  std::vector<MessageQueue> names = queue_names();
  co_await offsets_->persist(names);
  if (needs_locks()) co_await unlock_all(names);
  (void)co_await tasks_.ended(SteadyTime::max());  // each is bounded by its requests
  queues_.clear();
  co_await client_.heartbeats().leave_consumer(options_.group);
  running_ = false;
}

net::Task<> GroupConsumer::commit() { co_await offsets_->persist(queue_names()); }

void GroupConsumer::restart(const MessageQueue& queue, QueueOffset offset, Commit commit) {
  restarts_[queue] = {offset, commit};
  const auto found = queues_.find(queue);
  if (found != queues_.end()) {
    found->second->close();
    forget(found->second);
  }
  rebalance_soon();
}

void GroupConsumer::put(const QueuePtr& queue, const std::vector<MessagePtr>& messages) {
  const std::size_t before = queue->messages.bytes();
  queue->messages.put(messages);
  cached_bytes_ += queue->messages.bytes() - before;
}

std::optional<QueueOffset> GroupConsumer::remove(const QueuePtr& queue,
                                                 const std::vector<MessagePtr>& messages) {
  if (queue->given_up) return std::nullopt;
  const std::size_t before = queue->messages.bytes();
  const auto commit = queue->messages.remove(messages);
  cached_bytes_ -= before - queue->messages.bytes();
  queue->changed.notify();
  return commit;
}

void GroupConsumer::done(const QueuePtr& queue, const std::vector<MessagePtr>& messages) {
  if (const auto commit = remove(queue, messages)) offsets_->advance(queue->queue, *commit);
}

bool GroupConsumer::is_full(const AssignedQueue& queue) const {
  const ProcessQueue& messages = queue.messages;
  if (messages.count() == 0) return false;
  return messages.count() >= options_.queue_messages_max ||
         messages.bytes() >= options_.queue_bytes_max || cached_bytes_ >= options_.bytes_max ||
         (!options_.orderly && messages.span() >= options_.queue_span_max);
}

bool GroupConsumer::may_consume(const AssignedQueue& queue) const {
  if (queue.closing) return false;
  if (!needs_locks()) return true;
  return queue.locked && std::chrono::steady_clock::now() - queue.locked_at < kLockValid;
}

const protocol::SubscriptionData* GroupConsumer::subscription(const std::string& topic) const {
  const auto found = subscriptions_.find(topic);
  return found == subscriptions_.end() ? nullptr : &found->second;
}

std::vector<MessageQueue> GroupConsumer::queue_names() const {
  std::vector<MessageQueue> names;
  for (const auto& [name, queue] : queues_) names.push_back(name);
  return names;
}

protocol::ConsumerData GroupConsumer::describe() const {
  protocol::ConsumerData data;
  data.group = options_.group;
  data.consume_type = options_.type;
  data.message_model = options_.model;
  data.consume_from_where = to_protocol(options_.from);
  for (const auto& [topic, subscription] : subscriptions_) {
    data.subscriptions.push_back(subscription);
  }
  return data;
}

void GroupConsumer::serve_requests() {
  net::IoThread& home = this->home();
  client_.server_requests().serve(
      options_.group,
      [this, owner = owner_, &home](protocol::Command request, net::Responder responder) {
        const std::shared_ptr<void> kept = owner.lock();
        if (!kept) return;
        home.post([this, kept, request = std::move(request), responder] {
          if (running_ && !tasks_.stopping()) on_request(request, responder);
        });
      });
}

void GroupConsumer::on_request(protocol::Command request, net::Responder responder) {
  switch (static_cast<RequestCode>(request.code)) {
    case RequestCode::NotifyConsumerIdsChanged:
      return rebalance_soon();
    case RequestCode::ResetConsumerClientOffset:
      on_reset(request);
      return responder.answer({});
    case RequestCode::GetConsumerStatusFromClient: {
      protocol::QueueOffsetMap held;
      for (const auto& [name, queue] : queues_) {
        const auto offset = offsets_->find(name);
        if (offset) held[client::to_protocol(name)] = *offset;
      }
      net::Response response;
      const std::string body = protocol::encode_client_status(held);
      response.body.assign(as_bytes(body).begin(), as_bytes(body).end());
      return responder.answer(std::move(response));
    }
    default:
      return handler_.on_server_request(std::move(request), std::move(responder));
  }
}

void GroupConsumer::on_reset(const protocol::Command& request) {
  const auto offsets = protocol::decode_reset_offset(as_text(request.body));
  if (!offsets) {
    log::warn("client", "request to reset offsets not understood", kv("group", options_.group),
              kv("why", offsets.error().message()));
    return;
  }
  for (const auto& [queue, offset] : *offsets) {
    const MessageQueue name = from_protocol(queue);
    if (queues_.contains(name)) restart(name, offset, Commit::Yes);
  }
}

}  // namespace rmq::client
