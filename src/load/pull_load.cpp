#include "load/pull_load.h"

#include <algorithm>
#include <utility>

#include "client/client_errc.h"
#include "client/topic_route.h"
#include "protocol/route_body.h"

namespace rmq::load {

using client::MessageQueue;

PullLoad::PullLoad(client::Client& client, PullLoadOptions options)
    : client_(client), options_(std::move(options)), lines_(client) {}

// By the address of the broker that is asked.
net::Task<Result<std::map<std::string, PullLoad::Ranges>>> PullLoad::find_ranges() {
  client::PullConsumer consumer(client_, {.group = options_.group, .timeout = options_.timeout});
  std::map<std::string, Ranges> ranges;
  for (const std::string& topic : options_.topics) {
    const auto queues = co_await consumer.queues(topic);
    if (!queues) co_return fail(queues.error());
    const auto route = co_await client_.routes().get(topic, options_.timeout);
    if (!route) co_return fail(route.error());
    for (const MessageQueue& queue : *queues) {
      const auto address = (*route)->read_address(queue.broker_name, protocol::kMasterId);
      if (!address) continue;
      const auto begin = co_await consumer.begin_offset(queue);
      if (!begin) co_return fail(begin.error());
      const auto end = co_await consumer.end_offset(queue);
      if (!end) co_return fail(end.error());
      ranges[*address].push_back({queue, options_.from_end ? *end : *begin, *end});
    }
  }
  if (ranges.empty()) co_return fail(client::ClientErrc::NoQueue, options_.topics.front());
  co_return ranges;
}

net::Task<Result<>> PullLoad::open_lines(const std::map<std::string, Ranges>& all) {
  for (const auto& [address, ranges] : all) {
    const std::size_t lines = std::clamp<std::size_t>(options_.connections, 1, ranges.size());
    for (std::size_t line = 0; line < lines; ++line) {
      PullStreamOptions stream;
      for (std::size_t i = line; i < ranges.size(); i += lines) stream.ranges.push_back(ranges[i]);
      stream.group = options_.group;
      stream.expression = options_.expression;
      stream.batch = options_.batch;
      stream.until = options_.until;
      stream.type = options_.type;
      stream.end_to_end = options_.end_to_end;
      auto made = std::make_shared<PullStream>(std::move(stream));
      Result<> opened = co_await lines_.open(address, std::move(made), options_.timeout);
      if (!opened) co_return opened;
    }
  }
  co_return Result<>{};
}

net::Task<Result<>> PullLoad::connect() {
  const auto ranges = co_await find_ranges();
  if (!ranges) co_return fail(ranges.error());
  Result<> opened = co_await open_lines(*ranges);
  if (!opened) co_await lines_.close();
  co_return opened;
}

void PullLoad::start(Window window) {
  for (const Line<PullStream>& line : lines_.all()) {
    line.connection->post([stream = line.stream, window](net::Connection& connection) {
      stream->begin(connection, window);
    });
  }
}

net::Task<bool> PullLoad::read_to_end(SteadyTime deadline) {
  for (const Line<PullStream>& line : lines_.all()) {
    const bool drained = co_await line.stream->drained().wait_until(deadline);
    if (!drained) co_return false;
  }
  co_return true;
}

}  // namespace rmq::load
