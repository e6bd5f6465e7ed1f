#include "net/stream_server.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "net/await.h"
#include "net/resolver.h"

namespace rmq::net {

using namespace std::chrono_literals;

TEST_CASE("streams: served by a thread that no request keeps waiting") {
  IoThreads threads(2);
  Resolver resolver;
  const auto serve = [&threads](std::shared_ptr<ByteStream> stream) -> Task<> {
    const bool own = &stream->thread() == &threads.streams() && threads.streams().is_current();
    const std::array<std::byte, 1> answer{std::byte{own}};
    const std::array<ByteView, 1> parts{ByteView(answer)};
    const Result<> written = co_await stream->write(parts);
    CHECK(written);
  };
  StreamServer server(threads, serve, 10s);
  threads.start();
  REQUIRE(server.listen("127.0.0.1", 0));
  server.start_accepting();
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  std::function<Task<Result<int>>()> ask = [&]() -> Task<Result<int>> {
    RMQ_CO_TRY(const std::shared_ptr<ByteStream> stream,
               co_await ByteStream::connect(threads.streams(), resolver, address, 5s, 10s));
    std::array<std::byte, 1> answer{};
    const Result<> read = co_await stream->read(answer);
    stream->close();
    if (!read) co_return fail(read.error());
    co_return static_cast<int>(answer[0]);
  };
  const Result<int> own = run_blocking<Result<int>>(threads.streams(), std::move(ask));
  REQUIRE(own);
  CHECK(*own == 1);
  server.stop();
  threads.stop();
}

}  // namespace rmq::net
