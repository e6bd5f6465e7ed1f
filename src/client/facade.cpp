#include "client/facade.h"

#include "client/name_servers.h"
#include "protocol/response_codes.h"

namespace rmq::api {
namespace {

// What is still to be called back when the last user of a client goes waits no longer than this.
constexpr std::chrono::seconds kCallbackPatience{1};

client::ClientOptions to_client_options(const ClientOptions& options,
                                        std::vector<std::string> name_servers) {
  client::ClientOptions result;
  result.name_servers = std::move(name_servers);
  result.client_id = options.client_id;
  return result;
}

}  // namespace

Client::Impl::Impl(const ClientOptions& options, std::vector<std::string> name_servers)
    : threads_(options.io_threads == 0 ? 1 : options.io_threads) {
  threads_.start();
  client_ = std::make_unique<client::Client>(threads_,
                                             to_client_options(options, std::move(name_servers)));
}

Client::Impl::~Impl() {
  (void)callbacks_.stop(std::chrono::steady_clock::now() + kCallbackPatience);
  client_.reset();
  threads_.stop();
}

void Client::Impl::on_control(const std::function<void()>& work) {
  run<void>([&work]() -> net::Task<> {
    work();
    co_return;
  });
}

Outcome<Client> Client::create(ClientOptions options) {
  Result<std::vector<std::string>> name_servers = client::parse_name_servers(options.name_servers);
  if (!name_servers) return to_api(name_servers.error());
  return Client(std::make_shared<Impl>(options, std::move(*name_servers)));
}

const std::string& Client::client_id() const { return impl_->client().client_id(); }

Failure to_api(const Error& error) {
  const bool refused = error.code.category() == protocol::response_category();
  return {refused ? "ResponseCode" : error.code.category().name(), error.code.value(),
          error.message()};
}

Receipt to_api(const client::SendResult& sent) {
  return {client::send_status_name(sent.status), sent.message_id, to_api(sent.queue),
          sent.offset.value};
}

Queue to_api(const client::MessageQueue& queue) {
  return {queue.topic, queue.broker_name, queue.queue_id};
}

std::vector<Queue> to_api(const std::vector<client::MessageQueue>& queues) {
  std::vector<Queue> result;
  for (const client::MessageQueue& queue : queues) result.push_back(to_api(queue));
  return result;
}

std::vector<Received> to_api(const client::MessageBatch& batch) {
  std::vector<Received> result;
  for (const auto& message : batch) {
    Received received;
    received.queue = to_api(message->queue);
    received.offset = message->offset.value;
    received.message_id = message->message_id;
    received.body = as_text(message->body);
    received.tag = message->tag;
    received.keys = message->keys;
    received.properties = message->properties;
    received.reconsume_times = message->reconsume_times;
    received.born_ms = message->born_timestamp_ms;
    received.stored_ms = message->store_timestamp_ms;
    result.push_back(std::move(received));
  }
  return result;
}

client::Message from_api(Message message) {
  client::Message result;
  result.topic = std::move(message.topic);
  const ByteView body = as_bytes(message.body);
  result.body.assign(body.begin(), body.end());
  result.tag = std::move(message.tag);
  result.keys = std::move(message.keys);
  result.properties = std::move(message.properties);
  result.delay_level = message.delay_level;
  result.delay_ms = message.delay_ms;
  result.deliver_at_ms = message.deliver_at_ms;
  return result;
}

client::MessageQueue from_api(Queue queue) {
  return {std::move(queue.topic), std::move(queue.broker), queue.id};
}

std::vector<client::MessageQueue> from_api(std::vector<Queue> queues) {
  std::vector<client::MessageQueue> result;
  for (Queue& queue : queues) result.push_back(from_api(std::move(queue)));
  return result;
}

}  // namespace rmq::api
