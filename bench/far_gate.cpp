// far_gate FROM TO ONE_WAY_US: passes TCP connections to "host:port" FROM on to TO, and keeps all
// bytes that long on their way, in each direction. What tests/cluster/gate.py does, but the mean is
// right: a thread that sleeps for milliseconds wakes some 50 us late, so it goes to sleep for as
// much less as it was late before. Prints a line when it listens; ends when it is killed.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "net/await.h"
#include "net/byte_stream.h"
#include "net/endpoint.h"
#include "net/io_threads.h"
#include "net/resolver.h"
#include "net/stream_server.h"

namespace {

using namespace std::chrono_literals;
using rmq::Bytes;
using rmq::ByteView;
using rmq::Result;
using rmq::SteadyTime;
using rmq::net::ByteStream;
using rmq::net::Event;
using rmq::net::Task;
using Stream = std::shared_ptr<ByteStream>;

constexpr std::chrono::milliseconds kIdle = 1h;
constexpr SteadyTime::duration kLateMax = 300us;
constexpr std::size_t kReadSize = 256 * 1024;

// One direction of a connection. Everything on the only io thread.
struct Way {
  Stream from;
  Stream to;
  std::deque<std::pair<SteadyTime, Bytes>> under_way;  // each with the time when it arrives
  Event more;
  SteadyTime::duration late{};  // how much too late it wakes, smoothed
};

Task<> sleep_until(std::shared_ptr<Way> way, SteadyTime time) {
  const SteadyTime asked = time - way->late;
  if (asked <= std::chrono::steady_clock::now()) co_return;
  const Event never;
  (void)co_await never.wait_until(asked);
  way->late += (std::chrono::steady_clock::now() - asked - way->late) / 16;
  way->late = std::min(way->late, kLateMax);
}

Task<> read(std::shared_ptr<Way> way, std::chrono::microseconds delay) {
  Bytes buffer(kReadSize);
  for (;;) {
    const Result<std::size_t> count = co_await way->from->read_some(buffer);
    if (!count) break;
    Bytes bytes(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*count));
    way->under_way.emplace_back(std::chrono::steady_clock::now() + delay, std::move(bytes));
    way->more.set();
  }
  way->from->close();
  way->to->close();
  way->more.set();
}

Task<> write(std::shared_ptr<Way> way) {
  while (!way->to->closed()) {
    if (way->under_way.empty()) {
      way->more = Event();
      const Event more = way->more;
      (void)co_await more.wait_until(SteadyTime::max());
      continue;
    }
    const auto next = std::move(way->under_way.front());
    way->under_way.pop_front();
    co_await sleep_until(way, next.first);
    const std::array parts{ByteView(next.second)};
    const Result<> written = co_await way->to->write(parts);
    if (!written) break;
  }
}

void open(const Stream& from, const Stream& to, std::chrono::microseconds delay) {
  const auto way = std::make_shared<Way>();
  way->from = from;
  way->to = to;
  std::function<Task<>()> reader = [way, delay] { return read(way, delay); };
  std::function<Task<>()> writer = [way] { return write(way); };
  rmq::net::spawn(from->thread(), "read", std::move(reader));
  rmq::net::spawn(from->thread(), "write", std::move(writer));
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: far_gate FROM_HOST:PORT TO_HOST:PORT ONE_WAY_US\n", stderr);
    return 2;
  }
  const std::string target = words[2];
  const std::chrono::microseconds delay(std::atoi(words[3]));
  const auto from = rmq::net::split_address(words[1]);
  rmq::net::IoThreads threads(1);
  rmq::net::Resolver resolver;
  const auto serve = [&](Stream stream) -> Task<> {
    const Result<Stream> far =
        co_await ByteStream::connect(stream->thread(), resolver, target, 3s, kIdle);
    if (!far) co_return;
    open(stream, *far, delay);
    open(*far, stream, delay);
    // The server closes the stream when this ends.
    const Event never;
    while (!stream->closed())
      (void)co_await never.wait_until(std::chrono::steady_clock::now() + 1s);
  };
  rmq::net::StreamServer server(threads, serve, kIdle);
  if (!from || !server.listen(from->first, from->second)) {
    std::fprintf(stderr, "cannot listen on %s\n", words[1]);
    return 1;
  }
  threads.start();
  server.start_accepting();
  std::puts("listening");
  std::fflush(stdout);
  for (;;) std::this_thread::sleep_for(1h);
}
