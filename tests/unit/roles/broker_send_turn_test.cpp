// Sends that come on several connections at the same time share one append, and nothing else: none
// waits, and none is refused, for what another is.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/frame.h"
#include "tests/support/broker_node.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/raw_stream.h"

namespace rmq::roles::broker {
namespace {

constexpr std::size_t kOneDataThread = 1;

// A connection that sends and takes answers when it is told to.
class Peer {
 public:
  explicit Peer(Node& node) : stream_(node.address()) {}

  void send(const Command& request) {
    Bytes frame;
    REQUIRE(protocol::encode_frame(request, frame));
    stream_.send(std::move(frame));
  }
  // The code of the next answer; nothing when none comes.
  std::optional<std::int32_t> answer() {
    Result<Bytes> frame = stream_.receive_frame();
    protocol::CommandView view;
    if (!frame || !protocol::parse_frame(*frame, view)) return std::nullopt;
    return view.code;
  }
  std::optional<std::int32_t> call(const Command& request) {
    send(request);
    return answer();
  }

 private:
  test::RawStream stream_;
};

// Does nothing but this until release(): what arrives meanwhile, it finds all at once.
class HeldThread {
 public:
  explicit HeldThread(net::IoThread& thread) {
    std::promise<void> held;
    thread.post([&held, until = released_.get_future().share()] {
      held.set_value();
      until.wait();
    });
    held.get_future().wait();
  }
  void release() { released_.set_value(); }

 private:
  std::promise<void> released_;
};

// Who passes waits while it is closed.
class Valve {
 public:
  void close() { closed_ = true; }
  void open() {
    closed_ = false;
    closed_.notify_all();
  }
  void pass() const { closed_.wait(true); }

 private:
  std::atomic<bool> closed_{false};
};

Command send_to(std::string_view topic, std::string_view properties = {},
                std::string_view body = "x") {
  return send_request(send_header(topic, properties), body);
}

// Who is to be answered at once, and who not before `valve` opens; in either order.
void check_apart(Node& node, Valve& valve, const std::function<Command(bool waits)>& request) {
  for (const bool waiting_first : {true, false}) {
    INFO(waiting_first);
    Peer waiting(node);
    Peer quick(node);
    REQUIRE(waiting.call(send_to("T")) == 0);
    REQUIRE(quick.call(send_to("T")) == 0);
    valve.close();
    HeldThread held(node.threads.data(0));
    if (waiting_first) waiting.send(request(true));
    quick.send(request(false));
    if (!waiting_first) waiting.send(request(true));
    held.release();
    CHECK(quick.answer() == 0);
    valve.open();
    CHECK(waiting.answer() == 0);
  }
}

}  // namespace

TEST_CASE("sends of several connections at the same time share a write") {
  constexpr int kPeers = 8;
  test::TempDirectory directory;
  test::FailingFileSystem files;
  const std::int64_t never = std::numeric_limits<std::int32_t>::max();
  files.plan(test::FileCall::Write, never, std::errc::io_error, "commitlog");
  Node node(test_config(directory.path()), files, kOneDataThread);
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < kPeers; ++i) {
    peers.push_back(std::make_unique<Peer>(node));
    REQUIRE(peers.back()->call(send_to("T")) == 0);
  }
  const std::int64_t before = files.calls(test::FileCall::Write);
  HeldThread held(node.threads.data(0));
  for (const auto& peer : peers) peer->send(send_to("T"));
  held.release();
  for (const auto& peer : peers) CHECK(peer->answer() == 0);
  // One, unless the system takes its time to bring something.
  CHECK(files.calls(test::FileCall::Write) - before <= kPeers / 2);
}

TEST_CASE("a send that does not wait for the disk is answered while another waits") {
  test::TempDirectory directory;
  test::FailingFileSystem files;
  Valve syncs;
  files.before_sync([&syncs](const std::string& path) {
    if (path.find("commitlog") != std::string::npos) syncs.pass();
  });
  BrokerConfig config = test_config(directory.path());
  config.store.flush_disk_type = storage::FlushDiskType::Sync;
  Node node(config, files, kOneDataThread);
  check_apart(node, syncs,
              [](bool waits) { return send_to("T", property("WAIT", waits ? "true" : "false")); });
}

TEST_CASE("only who makes a topic waits until that is on disk") {
  test::TempDirectory directory;
  test::FailingFileSystem files;
  Valve saves;
  files.before_sync([&saves](const std::string& path) {
    if (path.find("topics.json") != std::string::npos) saves.pass();
  });
  Node node(test_config(directory.path()), files, kOneDataThread);
  int made = 0;
  check_apart(node, saves, [&made](bool waits) {
    return send_to(waits ? "New" + std::to_string(++made) : "T");
  });
}

TEST_CASE("a message that no segment can hold is refused alone") {
  test::TempDirectory directory;
  BrokerConfig config = test_config(directory.path());
  config.store.commit_log_segment_bytes = 16 * 1024;
  Node node(config, FileSystem::posix(), kOneDataThread);
  Peer large(node);
  Peer small(node);
  REQUIRE(large.call(send_to("T")) == 0);
  REQUIRE(small.call(send_to("T")) == 0);
  HeldThread held(node.threads.data(0));
  large.send(send_to("T", {}, std::string(20'000, 'x')));
  small.send(send_to("T"));
  held.release();
  CHECK(large.answer() == static_cast<std::int32_t>(ResponseCode::MessageIllegal));
  CHECK(small.answer() == 0);
}

}  // namespace rmq::roles::broker
