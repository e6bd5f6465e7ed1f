#include "client/producer.h"

#include <algorithm>
#include <random>
#include <set>

#include "client/client_errc.h"
#include "client/retry.h"
#include "client/server_call.h"
#include "net/gather.h"
#include "protocol/offset.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;
using std::chrono::milliseconds;

constexpr milliseconds kProbeInterval{1'000};
constexpr milliseconds kProbeTimeout{1'000};
// A connection over which so many probes in a row got no answer is opened anew: what it carried is
// lost, and TCP might take minutes to try again.
constexpr int kSilentProbesMax = 3;

std::set<std::string> addresses_of(const TopicRoute& route) {
  std::set<std::string> addresses;
  for (const MessageQueue& queue : route.writable()) {
    addresses.insert(route.master_address(queue.broker_name).value_or(""));
  }
  return addresses;
}

SendFormat format_of(const ProducerOptions& options) {
  SendFormat format;
  format.producer_group = options.group;
  format.new_topic_queues = options.new_topic_queues;
  format.compress_from_bytes = options.compress_from_bytes;
  format.body_bytes_max = options.body_bytes_max;
  return format;
}

tl::unexpected<Error> no_queue(const std::string& topic) {
  return fail(ClientErrc::NoQueue, "topic '" + topic + "' has no writable queue");
}

}  // namespace

// What one send has tried so far, by address: a broker that moved was not tried yet.
struct Producer::Attempts {
  int number = 1;
  std::set<std::string> tried;
};

Producer::Producer(Client& client, ProducerOptions options)
    : client_(client),
      options_(std::move(options)),
      format_(format_of(options_)),
      queues_(std::random_device{}()),
      retry_queues_(std::random_device{}()),
      faults_(client.clock()) {}

Producer::~Producer() { RMQ_ASSERT(!started_); }

net::Task<> Producer::start() {
  started_ = true;
  tasks_.spawn(client_.threads().control(), "probes", [this] { return probe_faulty(); });
  co_await client_.heartbeats().join_producer(options_.group);
}

net::Task<> Producer::shutdown() {
  sends_.stop();
  tasks_.stop();
  (void)co_await sends_.ended(SteadyTime::max());  // each has its time-out
  (void)co_await tasks_.ended(SteadyTime::max());
  if (started_) co_await client_.heartbeats().leave_producer(options_.group);
  started_ = false;
}

net::Task<Result<SendResult>> Producer::send_once(const PreparedSend& send, MessageQueue queue,
                                                  std::string address, milliseconds timeout) {
  protocol::Command request = make_send_request(format_, send, queue);
  const SteadyTime begin = std::chrono::steady_clock::now();
  const Result<protocol::Command> answer =
      co_await call_server(client_.rpc(), address, std::move(request), timeout);
  if (answer) {
    const auto latency = std::chrono::steady_clock::now() - begin;
    faults_.answered(address, std::chrono::duration_cast<milliseconds>(latency));
    co_return parse_send_answer(*answer, send, std::move(queue), address);
  }
  if (shows_silence(answer.error())) faults_.failed(address);
  co_return fail(answer.error());
}

net::Task<Result<SharedRoute>> Producer::publish_route(std::string topic, milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  Result<SharedRoute> route = co_await client_.routes().get(topic, timeout);
  if (route || route.error().code != ResponseCode::TopicNotExist) co_return route;

  const std::string auto_create(kAutoCreateTopic);
  const Result<SharedRoute> model = co_await client_.routes().get(auto_create, time_left(deadline));
  // No broker creates topics: the topic that is missing is the one that was asked for.
  if (!model) co_return route;
  co_return std::make_shared<const TopicRoute>(
      route_of_new_topic(std::move(topic), **model, options_.new_topic_queues));
}

// Well and not tried; else not tried; else any.
MessageQueue Producer::pick(const TopicRoute& route, const Attempts& attempts) {
  std::vector<std::string> tried;
  std::vector<std::string> unfit;
  std::set<std::string_view> seen;
  for (const MessageQueue& queue : route.writable()) {
    if (!seen.insert(queue.broker_name).second) continue;
    const std::string address = route.master_address(queue.broker_name).value_or("");
    const bool was_tried = attempts.tried.contains(address);
    if (was_tried) tried.push_back(queue.broker_name);
    if (was_tried || (options_.avoid_faulty && faults_.avoided(address))) {
      unfit.push_back(queue.broker_name);
    }
  }
  RoundRobin& turn = attempts.number == 1 ? queues_ : retry_queues_;
  if (auto queue = turn.pick(route.writable(), unfit)) return *queue;
  if (auto queue = turn.pick(route.writable(), tried)) return *queue;
  return *turn.pick(route.writable(), {});
}

net::Task<Result<SharedRoute>> Producer::route_again(const std::string& topic, SharedRoute old,
                                                     SteadyTime deadline) {
  client_.routes().expire(topic);
  // Name servers that hang must leave time for brokers.
  Result<SharedRoute> route = co_await publish_route(topic, time_left(deadline) / 4);
  if (!route || (*route)->writable().empty()) co_return old;
  co_return route;
}

net::Task<Result<SendResult>> Producer::send_prepared(std::shared_ptr<const PreparedSend> send,
                                                      milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(SharedRoute route, co_await publish_route(send->topic, timeout));
  if (route->writable().empty()) co_return no_queue(send->topic);

  Attempts attempts;
  Error failure;
  for (;; ++attempts.number) {
    MessageQueue queue = pick(*route, attempts);
    const std::string address = route->master_address(queue.broker_name).value_or("");
    attempts.tried.insert(address);

    // A broker that hangs must leave time for those that are still to be tried.
    std::set<std::string> untried = addresses_of(*route);
    for (const std::string& one : attempts.tried) untried.erase(one);
    const auto retries_left =
        static_cast<std::size_t>(std::max(0, 1 + options_.retries - attempts.number));
    const auto others = static_cast<int>(std::min(untried.size(), retries_left));
    const milliseconds share = time_left(deadline) / (1 + others);

    Result<SendResult> sent = co_await send_once(*send, std::move(queue), address, share);
    if (sent) {
      sent->attempts = attempts.number;
      co_return sent;
    }
    failure = std::move(sent.error());
    const RetryAdvice advice = advise_retry(failure);
    if (advice == RetryAdvice::Fail) break;
    if (retries_left == 0 || time_left(deadline).count() == 0) {
      client_.routes().expire(send->topic);
      break;
    }
    RMQ_CO_TRY(route, co_await route_again(send->topic, route, deadline));
    untried = addresses_of(*route);
    for (const std::string& one : attempts.tried) untried.erase(one);
    if (advice == RetryAdvice::OtherBroker && untried.empty()) break;
    if (time_left(deadline).count() == 0) break;
  }
  co_return fail(std::move(failure));
}

net::Task<Result<SendResult>> Producer::send(Message message, milliseconds timeout) {
  RMQ_CO_TRY(PreparedSend prepared, prepare_send(client_, format_, std::move(message)));
  auto shared = std::make_shared<const PreparedSend>(std::move(prepared));
  co_return co_await send_prepared(std::move(shared), timeout);
}

net::Task<Result<SendResult>> Producer::send_batch(std::vector<Message> messages,
                                                   milliseconds timeout) {
  RMQ_CO_TRY(PreparedSend prepared, prepare_batch(client_, format_, std::move(messages)));
  auto shared = std::make_shared<const PreparedSend>(std::move(prepared));
  co_return co_await send_prepared(std::move(shared), timeout);
}

net::Task<Result<SendResult>> Producer::send_to(Message message, MessageQueue queue,
                                                milliseconds timeout) {
  const std::string topic = message.topic;
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const PreparedSend prepared, prepare_send(client_, format_, std::move(message)));
  RMQ_CO_TRY(const SharedRoute route, co_await publish_route(topic, timeout));
  const auto& known = route->writable();
  if (std::find(known.begin(), known.end(), queue) == known.end()) {
    co_return fail(ClientErrc::QueueUnknown, "topic '" + topic + "' has no writable queue " +
                                                 std::to_string(queue.queue_id) + " on broker '" +
                                                 queue.broker_name + "'");
  }
  const std::string address = route->master_address(queue.broker_name).value_or("");
  Result<SendResult> sent =
      co_await send_once(prepared, std::move(queue), address, time_left(deadline));
  if (!sent && advise_retry(sent.error()) != RetryAdvice::Fail) client_.routes().expire(topic);
  co_return sent;
}

net::Task<Result<SendResult>> Producer::send_by(Message message, QueueChooser choose,
                                                milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const SharedRoute route, co_await publish_route(message.topic, timeout));
  if (route->writable().empty()) co_return no_queue(message.topic);
  const std::size_t index = choose(route->writable());
  if (index >= route->writable().size()) {
    co_return fail(ClientErrc::QueueUnknown, "there is no queue number " + std::to_string(index));
  }
  MessageQueue queue = route->writable()[index];
  co_return co_await send_to(std::move(message), std::move(queue), time_left(deadline));
}

net::Task<Result<>> Producer::send_oneway(Message message, milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const PreparedSend prepared, prepare_send(client_, format_, std::move(message)));
  RMQ_CO_TRY(const SharedRoute route, co_await publish_route(prepared.topic, timeout));
  if (route->writable().empty()) co_return no_queue(prepared.topic);
  const Attempts attempts;
  const MessageQueue queue = pick(*route, attempts);
  const std::string address = route->master_address(queue.broker_name).value_or("");
  protocol::Command request = make_send_request(format_, prepared, queue);
  const Result<> written =
      co_await client_.rpc().send_oneway(address, std::move(request), time_left(deadline));
  if (written) co_return written;
  if (shows_silence(written.error())) faults_.failed(address);
  client_.routes().expire(prepared.topic);
  co_return fail(error_at(address, written.error()));
}

void Producer::send_async(Message message, milliseconds timeout, Callback done) {
  if (sends_.stopping()) return done(fail(ClientErrc::ShutDown, "producer " + options_.group));
  if (in_flight_.fetch_add(1) >= options_.async_in_flight_max) {
    in_flight_.fetch_sub(1);
    return done(fail(ClientErrc::TooManyInFlight, std::to_string(options_.async_in_flight_max)));
  }
  const auto shared = std::make_shared<Message>(std::move(message));
  sends_.spawn(client_.threads().control(), "send_async",
               [this, shared, timeout, done = std::move(done)]() -> net::Task<> {
                 Result<SendResult> sent = co_await send(std::move(*shared), timeout);
                 in_flight_.fetch_sub(1);
                 done(std::move(sent));
               });
}

net::Task<> Producer::probe_faulty() {
  std::map<std::string, int> unanswered;
  for (;;) {
    const bool going_on = co_await tasks_.pause(kProbeInterval);
    if (!going_on) break;
    const std::vector<std::string> addresses = faults_.silent();
    std::vector<std::function<net::Task<bool>()>> probes;
    for (const std::string& address : addresses) {
      probes.push_back([this, address] { return answers(client_.rpc(), address, kProbeTimeout); });
    }
    const std::vector<bool> results =
        co_await net::gather<bool>(client_.threads().control(), std::move(probes));
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      faults_.probed(addresses[i], results[i]);
      int& count = unanswered[addresses[i]];
      count = results[i] ? 0 : count + 1;
      if (count < kSilentProbesMax) continue;
      count = 0;
      const auto connection = co_await client_.rpc().connection(addresses[i], kProbeTimeout);
      if (connection) (*connection)->close();
    }
  }
}

}  // namespace rmq::client
