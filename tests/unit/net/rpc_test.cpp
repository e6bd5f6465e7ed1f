#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "base/units.h"
#include "net/await.h"
#include "net/endpoint.h"
#include "net/net_limits.h"
#include "net/response_frame.h"
#include "net/rpc_client.h"
#include "net/rpc_server.h"
#include "protocol/frame.h"

namespace rmq::net {
namespace {

using namespace std::chrono_literals;
using protocol::Command;

// Answers every request with its own body; code 6 at the end of its turn, code 7 never, code 8 with
// a large pinned body, code 9 only when released.
class EchoService final : public Service {
 public:
  void on_request(ReadTurn& turn, const protocol::CommandView& command) override {
    // Counted once it is held: tests wait for the count.
    if (command.code == 9) held.emplace_back(turn.connection.shared_from_this(), command);
    ++requests;
    if (command.code == 6) kept.emplace_back(Asked(command), command.body);
    if (command.code == 6 || command.code == 7) return;
    if (command.code == 9) return;
    Response response;
    response.body.assign(command.body.begin(), command.body.end());
    if (command.code == 8) {
      const auto pin = std::make_shared<Bytes>(1024 * 1024, std::byte{42});
      protocol::Command head;
      head.opaque = command.opaque;
      head.flag = protocol::kFlagResponse;
      Bytes frame;
      head.body = *pin;
      protocol::encode_frame(head, frame);
      const std::size_t head_bytes = frame.size() - pin->size();
      Bytes& tail = turn.connection.out().tail();
      tail.insert(tail.end(), frame.begin(),
                  frame.begin() + static_cast<std::ptrdiff_t>(head_bytes));
      turn.connection.out().add_body(*pin, pin);
      return;
    }
    write_response(turn.connection.out(), Asked(command), std::move(response));
  }
  void on_turn_end(ReadTurn& turn) override {
    ++turns;
    for (const auto& [asked, body] : kept) {
      Response response;
      response.body.assign(body.begin(), body.end());
      write_response(turn.connection.out(), asked, std::move(response));
    }
    kept.clear();
  }
  void on_closed(Connection&) override { closed.set(); }

  std::atomic<int> requests{0};
  std::atomic<int> turns{0};
  std::vector<std::pair<Asked, ByteView>> kept;  // by the one connection of its test
  std::vector<Responder> held;
  Event closed;
};

struct Fixture {
  Fixture() : server(threads, service) {
    threads.start();
    REQUIRE(server.listen("127.0.0.1", 0));
    server.start_accepting();
    address = "127.0.0.1:" + std::to_string(server.port());
  }
  ~Fixture() {
    client.reset();
    server.stop_accepting();
    server.close_connections(1s);
    threads.stop();
  }
  Result<Command> call(std::int32_t code, std::string_view body,
                       std::chrono::milliseconds timeout = 5s) {
    Command request;
    request.code = code;
    request.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    std::function<Task<Result<Command>>()> start = [this, request, timeout] {
      return client->call(address, request, timeout);
    };
    return run_blocking<Result<Command>>(threads.control(), start);
  }
  // A bare socket that sends `bytes` and reads until the server closes or `count` bytes came.
  asio::ip::tcp::socket raw(asio::io_context& context) {
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::make_address("127.0.0.1"), server.port()});
    return socket;
  }

  IoThreads threads{2};
  EchoService service;
  RpcServer server;
  std::unique_ptr<RpcClient> client = std::make_unique<RpcClient>(threads);
  std::string address;
};

Bytes request_frame(std::int32_t opaque, std::size_t body_bytes, std::int32_t code = 1,
                    char letter = 'x') {
  Command request;
  request.code = code;
  request.opaque = opaque;
  request.body.assign(body_bytes, static_cast<std::byte>(letter));
  Bytes frame;
  protocol::encode_frame(request, frame);
  return frame;
}

Bytes read_frame(asio::ip::tcp::socket& socket) {
  std::array<std::byte, 4> length{};
  asio::read(socket, asio::buffer(length));
  Bytes frame(length.begin(), length.end());
  frame.resize(4 + static_cast<std::size_t>(load_big_endian<std::int32_t>(length.data())));
  asio::read(socket, asio::buffer(frame.data() + 4, frame.size() - 4));
  return frame;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "rpc: a call is answered") {
  const Result<Command> answer = call(1, "hello");
  REQUIRE(answer);
  CHECK(as_text(answer->body) == "hello");
  CHECK(answer->flag == protocol::kFlagResponse);
}

TEST_CASE_FIXTURE(Fixture, "rpc: a large body arrives whole, in both directions") {
  const std::string large(5 * 1024 * 1024, 'y');
  const Result<Command> answer = call(1, large);
  REQUIRE(answer);
  CHECK(as_text(answer->body) == large);
  const Result<Command> pinned = call(8, "");
  REQUIRE(pinned);
  CHECK(pinned->body == Bytes(1024 * 1024, std::byte{42}));
}

TEST_CASE_FIXTURE(Fixture, "rpc: what is not answered times out, and the connection stays usable") {
  const Result<Command> answer = call(7, "", 50ms);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == NetErrc::TimedOut);
  CHECK(call(1, "still there"));
}

TEST_CASE_FIXTURE(Fixture, "rpc: port 0 is none that an outgoing connection is given") {
  CHECK(server.port() >= 20'000);
  CHECK(server.port() < 32'768);
}

TEST_CASE_FIXTURE(Fixture, "rpc: nobody listening is an error that names the address") {
  server.stop_accepting();
  const Result<Command> answer = call(1, "");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == NetErrc::ConnectFailed);
  CHECK(answer.error().detail.find(address) != std::string::npos);
}

TEST_CASE_FIXTURE(
    Fixture, "rpc: a broken connection fails its calls at once, the next call opens a new one") {
  REQUIRE(call(1, "open"));
  std::future<Result<Command>> waiting =
      std::async(std::launch::async, [&] { return call(7, "", 30s); });
  while (service.requests < 2) std::this_thread::yield();
  server.close_connections(0ms);
  const Result<Command> answer = waiting.get();
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == NetErrc::ConnectionClosed);
  CHECK(call(1, "again"));
}

TEST_CASE_FIXTURE(Fixture, "connection: frames are there until their turn ends") {
  asio::io_context context;
  auto socket = raw(context);
  // The first comes in many pieces, and there is a piece of the last when its turn ends.
  constexpr std::array<std::size_t, 3> kSizes{3'000'000, 100, 2'000'000};
  Bytes all;
  for (int i = 0; i < 3; ++i) {
    const char letter = static_cast<char>('a' + i);
    const Bytes frame = request_frame(i, kSizes[static_cast<std::size_t>(i)], 6, letter);
    all.insert(all.end(), frame.begin(), frame.end());
  }
  const std::jthread writer([&] { asio::write(socket, asio::buffer(all)); });
  for (int i = 0; i < 3; ++i) {
    Bytes frame = read_frame(socket);
    protocol::CommandView answer;
    CHECK(protocol::parse_frame(frame, answer));
    CHECK(answer.opaque == i);
    CHECK(answer.body.size() == kSizes[static_cast<std::size_t>(i)]);
    const auto letter = static_cast<std::byte>('a' + i);
    CHECK(std::ranges::all_of(answer.body, [=](std::byte byte) { return byte == letter; }));
  }
}

TEST_CASE_FIXTURE(Fixture, "connection: all frames of a turn are answered in order") {
  asio::io_context context;
  auto socket = raw(context);
  Bytes all;
  std::size_t expected = 0;
  for (int i = 0; i < 50; ++i) {
    const Bytes frame = request_frame(i, 100);
    all.insert(all.end(), frame.begin(), frame.end());
  }
  asio::write(socket, asio::buffer(all));
  for (int i = 0; i < 50; ++i) {
    Bytes frame = read_frame(socket);
    protocol::CommandView answer;
    REQUIRE(protocol::parse_frame(frame, answer));
    CHECK(answer.opaque == i);
    expected += answer.body.size();
  }
  CHECK(expected == 5000);
  CHECK(service.turns < 50);  // fewer turns than frames, or there is no batching
}

TEST_CASE_FIXTURE(Fixture, "connection: a frame in single bytes is served") {
  asio::io_context context;
  auto socket = raw(context);
  const Bytes frame = request_frame(3, 10);
  for (const std::byte byte : frame) asio::write(socket, asio::buffer(&byte, 1));
  std::array<std::byte, 4> length{};
  asio::read(socket, asio::buffer(length));
  CHECK(load_big_endian<std::int32_t>(length.data()) > 0);
}

TEST_CASE_FIXTURE(Fixture, "connection: malformed input is dropped without an answer") {
  asio::io_context context;
  for (const std::string_view bad :
       {std::string_view("\xff\xff\xff\xff\0\0\0\0", 8), std::string_view("GET / HTTP/1.1\r\n\r\n"),
        std::string_view("\0\0\0\x10\x07\0\0\x02garbagegarbage", 22)}) {
    auto socket = raw(context);
    asio::write(socket, asio::buffer(bad.data(), bad.size()));
    std::array<char, 16> answer{};
    std::error_code error;
    const std::size_t got = socket.read_some(asio::buffer(answer), error);
    CHECK(got == 0);
    CHECK(error);
  }
}

TEST_CASE_FIXTURE(Fixture, "connection: an answer may come later, from another thread") {
  std::future<Result<Command>> waiting =
      std::async(std::launch::async, [&] { return call(9, "", 10s); });
  while (service.requests == 0) std::this_thread::yield();
  Response late;
  late.remark = "late";
  service.held.front().answer(late);
  const Result<Command> answer = waiting.get();
  REQUIRE(answer);
  CHECK(answer->remark == "late");
}

TEST_CASE_FIXTURE(Fixture, "connection: incomplete frames of many peers stay within the budget") {
  asio::io_context context;
  std::vector<asio::ip::tcp::socket> peers;
  const Bytes frame = request_frame(1, 8 * 1024 * 1024);
  std::size_t highest = 0;
  for (int i = 0; i < 8; ++i) {
    peers.push_back(raw(context));
    peers.back().non_blocking(true);
    std::error_code error;
    peers.back().write_some(asio::buffer(frame.data(), 4 * 1024 * 1024), error);
  }
  for (int round = 0; round < 200; ++round) {
    for (auto& peer : peers) {
      std::error_code error;
      peer.write_some(asio::buffer(frame.data(), 64 * 1024), error);
    }
    highest = std::max(highest, PartialBudget::used());
  }
  CHECK(highest <= kPartialBudgetBytes + 2 * kReadScratchBytes);
  CHECK(call(1, "others are served"));
}

TEST_CASE("address texts") {
  const auto plain = split_address("host:123");
  REQUIRE(plain);
  CHECK(plain->first == "host");
  CHECK(plain->second == 123);
  const auto v6 = split_address("[::1]:9876");
  REQUIRE(v6);
  CHECK(v6->first == "::1");
  for (const char* bad : {"", "host", ":1", "host:", "host:0", "host:65536", "host:12x"})
    CHECK_FALSE(split_address(bad));
  CHECK(host_address("1.2.3.4", 5)->ip().size() == 4);
  CHECK(host_address("::1", 5)->is_v6());
  CHECK_FALSE(host_address("localhost", 5));
}

TEST_CASE("await: a watermark that comes, one that does not, one whose reign ends") {
  IoThreads threads(1);
  threads.start();
  Watermark<FlushedOffset> mark;
  const auto wait = [&](std::int64_t at, std::chrono::milliseconds patience) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
    std::function<Task<Result<>>()> start = [&mark, at, deadline] {
      return await_at_least(mark, FlushedOffset{at}, deadline);
    };
    return run_blocking<Result<>>(threads.data(0), start);
  };
  auto later = std::async(std::launch::async, [&] { return wait(10, 10s); });
  mark.advance(FlushedOffset{10});
  CHECK(later.get());
  CHECK(wait(20, 20ms).error().code == NetErrc::TimedOut);
  auto doomed = std::async(std::launch::async, [&] { return wait(30, 10s); });
  std::this_thread::yield();
  mark.end_reign(Error{std::make_error_code(std::errc::io_error), "disk"}, FlushedOffset{0});
  // It may begin to wait only after the reign has ended; then the new reign must end it.
  while (doomed.wait_for(1ms) != std::future_status::ready) {
    mark.end_reign(Error{std::make_error_code(std::errc::io_error), "disk"}, FlushedOffset{0});
  }
  CHECK(doomed.get().error().code == std::errc::io_error);
  threads.stop();
}

}  // namespace rmq::net
