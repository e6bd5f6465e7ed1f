#include "load/send_load.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <utility>

#include "client/client_errc.h"
#include "client/producer.h"
#include "client/topic_route.h"
#include "load/pacer.h"
#include "load/send_stream.h"
#include "net/await.h"

namespace rmq::load {

using client::ClientErrc;
using client::MessageQueue;

namespace {

// In an open loop nothing but memory limits how many requests may be on their way.
constexpr std::size_t kOpenLoopInFlight = 16'384;

// The first half of the unique keys of one connection.
std::string key_prefix(std::size_t line) {
  char text[17];
  std::snprintf(text, sizeof(text), "7F00%08X%04X", std::random_device{}(),
                static_cast<unsigned>(line & 0xFFFF));
  return text;
}

}  // namespace

struct SendLoad::Broker {
  std::string address;
  std::shared_ptr<const std::vector<MessageQueue>> queues;
};

SendLoad::SendLoad(client::Client& client, SendLoadOptions options)
    : client_(client), options_(std::move(options)), lines_(client) {}

net::Task<Result<std::vector<SendLoad::Broker>>> SendLoad::find_brokers() {
  client::Producer producer(client_, {});
  std::map<std::string, std::vector<MessageQueue>> by_address;
  for (const std::string& topic : options_.topics) {
    const auto route = co_await producer.publish_route(topic, options_.timeout);
    if (!route) co_return fail(route.error());
    for (const MessageQueue& queue : (*route)->writable()) {
      if (options_.queues > 0 && queue.queue_id >= options_.queues) continue;
      const std::string address = *(*route)->master_address(queue.broker_name);
      by_address[address].push_back(queue);
    }
  }
  if (by_address.empty()) co_return fail(ClientErrc::NoQueue, options_.topics.front());
  std::vector<Broker> brokers;
  for (auto& [address, queues] : by_address) {
    brokers.push_back(
        {address, std::make_shared<const std::vector<MessageQueue>>(std::move(queues))});
  }
  co_return brokers;
}

Result<std::shared_ptr<SendStream>> SendLoad::make_stream(const Broker& broker, std::size_t index,
                                                          std::size_t brokers) const {
  SendStreamOptions options;
  const std::string keys = key_prefix(index);
  const std::vector<MessageQueue>& queues = *broker.queues;
  for (const MessageQueue& queue : queues) {
    const bool known =
        std::any_of(options.frames.begin(), options.frames.end(),
                    [&queue](const FrameTemplate& frame) { return frame.fits(queue); });
    if (known) continue;
    RMQ_TRY(FrameTemplate frame, FrameTemplate::make(options_.shape, queue, keys));
    options.frames.push_back(std::move(frame));
  }
  options.queues = broker.queues;
  // Connections take turns in going to the brokers; the first ones have one more.
  const std::size_t to_broker = (options_.connections + brokers - 1) / brokers;
  options.share = share_of_queues(queues.size(), to_broker, index / brokers);
  options.messages_per_frame = options_.shape.batch;
  options.bytes_per_frame =
      options_.shape.body_bytes * static_cast<std::size_t>(options_.shape.batch);
  options.closed_loop = options_.rate <= 0;
  options.in_flight = options.closed_loop ? options_.in_flight : kOpenLoopInFlight;
  return std::make_shared<SendStream>(std::move(options));
}

net::Task<Result<>> SendLoad::connect() {
  const auto brokers = co_await find_brokers();
  if (!brokers) co_return fail(brokers.error());
  for (std::size_t i = 0; i < options_.connections; ++i) {
    const Broker& broker = (*brokers)[i % brokers->size()];
    auto stream = make_stream(broker, i, brokers->size());
    if (!stream) {
      co_await lines_.close();
      co_return fail(stream.error());
    }
    const Result<> opened =
        co_await lines_.open(broker.address, std::move(*stream), options_.timeout);
    if (!opened) {
      co_await lines_.close();
      co_return opened;
    }
  }
  co_return Result<>{};
}

void SendLoad::start(Window window) {
  started_ = true;
  std::function<net::Task<>()> begin = [this, window] { return begin_lines(window); };
  net::spawn(client_.threads().control(), "bench begin", std::move(begin));
}

net::Task<> SendLoad::begin_lines(Window window) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const auto count = static_cast<std::int64_t>(lines_.all().size());
  for (std::int64_t i = 0; i < count; ++i) {
    const bool stopped = co_await stop_.wait_until(now + options_.ramp_up * i / count);
    if (stopped) break;
    const Line<SendStream>& line = lines_.all()[static_cast<std::size_t>(i)];
    line.connection->post([stream = line.stream, window](net::Connection& connection) {
      stream->begin(connection, window);
    });
  }
  if (options_.rate > 0) start_pacers();
  begun_.set();
}

void SendLoad::start_pacers() {
  std::map<net::IoThread*, std::vector<PacedStream>> by_thread;
  for (const Line<SendStream>& line : lines_.all()) {
    by_thread[&line.connection->thread()].push_back({line.connection, line.stream});
  }
  const double requests = options_.rate / options_.shape.batch;
  const SteadyTime begin = std::chrono::steady_clock::now();
  for (const auto& [thread, streams] : by_thread) {
    const double share =
        static_cast<double>(streams.size()) / static_cast<double>(lines_.all().size());
    const std::chrono::nanoseconds interval(static_cast<std::int64_t>(1e9 / (requests * share)));
    std::function<net::Task<>()> run = [paced = streams, begin, interval, stop = stop_] {
      return pace(paced, begin, interval, stop);
    };
    net::spawn(*thread, "bench pace", std::move(run));
  }
}

net::Task<LoadResult> SendLoad::finish() {
  stop_.set();
  if (started_) (void)co_await begun_.wait_until(SteadyTime::max());
  LoadResult result = co_await lines_.finish(options_.timeout);
  co_return result;
}

}  // namespace rmq::load
