// The two ends of the epoch stream towards peers that send what cannot be, by raw bytes.
#include <array>
#include <ostream>
#include <thread>
#include <utility>

#include "net/stream_server.h"
#include "replication/epoch_stream.h"
#include "replication/feeder.h"
#include "replication/replication_errc.h"
#include "tests/support/epoch_member.h"
#include "tests/support/raw_stream.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using replication::BlockHead;
using replication::Epoch;
using replication::MasterHandshake;
using replication::Report;
using replication::SlaveHandshake;
using test::await_mark;
using test::EpochMember;

template <class Frame>
Bytes bytes_of(const Frame& frame) {
  return {frame.begin(), frame.end()};
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Not while a test lasts: what is sent then has another reason.
void no_heartbeats(BrokerConfig& config) { config.ha_send_heartbeat_interval = 1h; }

using RawSlave = test::RawStream;

Bytes handshake(replication::ReplicaId replica) {
  return bytes_of(replication::encode_handshake(SlaveHandshake{replica, false, false}));
}
Bytes report(std::int64_t offset) {
  return bytes_of(replication::encode_report(Report{PhysicalOffset{offset}}));
}

BlockHead receive_head(RawSlave& slave) {
  const auto head = slave.receive(replication::kBlockHeadBytes);
  REQUIRE(head);
  replication::EpochStreamReader reader;
  ByteView bytes(*head);
  return std::get<BlockHead>(*reader.next(bytes).value());
}

// Sends the same bytes to each slave that comes, once it has sent its handshake, and notes that.
class RawMaster {
 public:
  explicit RawMaster(Bytes bytes)
      : bytes_(std::move(bytes)),
        server_(
            threads_, [this](auto s) { return serve(s); }, 60s) {
    threads_.start();
    REQUIRE(server_.listen("127.0.0.1", 0));
    server_.start_accepting();
  }
  ~RawMaster() {
    server_.stop();
    threads_.stop();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }

  test::Told<Bytes> ended;  // a slave's session: what it had sent

 private:
  net::Task<> serve(std::shared_ptr<net::ByteStream> stream) {
    Bytes heard(replication::kSlaveHandshakeBytes);
    const Result<> first = co_await stream->read(heard);
    if (!first) co_return;
    const std::array<ByteView, 1> parts{ByteView(bytes_)};
    (void)co_await stream->write(parts);
    for (;;) {
      std::array<std::byte, 100> buffer;
      const Result<std::size_t> count = co_await stream->read_some(buffer);
      if (!count) break;
      heard.insert(heard.end(), buffer.begin(),
                   buffer.begin() + static_cast<std::ptrdiff_t>(*count));
    }
    ended.tell(std::move(heard));
  }

  const Bytes bytes_;
  net::IoThreads threads_{1};
  net::StreamServer server_;
};

Bytes master_handshake(std::int32_t epoch, std::int64_t end) {
  MasterHandshake ours;
  ours.epoch = Epoch{epoch};
  ours.end = PhysicalOffset{end};
  REQUIRE(ours.history.begin(Epoch{epoch}, PhysicalOffset{0}));
  return replication::encode_handshake(ours);
}

Bytes block_head(std::int64_t offset, std::int64_t bytes, std::int32_t epoch,
                 std::int64_t confirmed = 0) {
  BlockHead head;
  head.offset = PhysicalOffset{offset};
  head.bytes = bytes;
  head.epoch = Epoch{epoch};
  head.confirmed = PhysicalOffset{confirmed};
  return bytes_of(replication::encode_block_head(head));
}

}  // namespace

TEST_CASE("epoch sender: a slave that takes its time with a frame is served") {
  EpochMember master(1);
  master.lead(Epoch{1}, {1, 2});
  const std::int64_t end = master.append("m");
  RawSlave slave(master.ha_address());
  for (const std::byte byte : handshake(2)) slave.send({byte});
  const auto answer = slave.receive(32);
  REQUIRE(answer);
  CHECK(*answer == master_handshake(1, end));
  slave.send(report(0));
  const auto block = slave.receive(replication::kBlockHeadBytes + static_cast<std::size_t>(end));
  REQUIRE(block);
  CHECK(Bytes(block->begin(), block->begin() + 36) == block_head(0, end, 1));
  CHECK(master.acknowledged.value() == ConfirmedOffset{0});
  slave.send(report(end));
  await_mark(master.acknowledged, end);
  // It is told so, and later that the master is there.
  CHECK(*slave.receive(36) == block_head(end, 0, 1, end));
  CHECK(*slave.receive(36) == block_head(end, 0, 1, end));
}

TEST_CASE("epoch sender: what is confirmed is told without a message or a heartbeat") {
  EpochMember master(1, no_heartbeats);
  master.lead(Epoch{1}, {1, 2});
  std::int64_t begin = 0;
  std::int64_t end = master.append("m");
  RawSlave slave(master.ha_address());
  slave.send(handshake(2));
  REQUIRE(slave.receive(32));
  slave.send(report(0));
  for (int i = 0; i < 2; ++i) {
    const auto block =
        slave.receive(replication::kBlockHeadBytes + static_cast<std::size_t>(end - begin));
    REQUIRE(block);
    CHECK(Bytes(block->begin(), block->begin() + 36) == block_head(begin, end - begin, 1, begin));
    slave.send(report(end));
    const auto news = slave.receive(replication::kBlockHeadBytes);
    REQUIRE(news);
    CHECK(*news == block_head(end, 0, 1, end));
    begin = std::exchange(end, master.append("m"));
  }
}

// Who is far behind is told with each block that more is confirmed than it has.
TEST_CASE("epoch sender: a full window goes on with the report that makes room") {
  constexpr std::int64_t kWindow = replication::FeederConfig{}.window_bytes;
  EpochMember master(1, [](BrokerConfig& config) {
    no_heartbeats(config);
    config.store.commit_log_segment_bytes = 4 * 1024 * 1024;
  });
  master.lead(Epoch{1}, {1});
  while (master.end().value <= kWindow) master.append(std::string(500'000, 'x'));
  await_mark(master.acknowledged, master.end().value);
  RawSlave slave(master.ha_address());
  slave.send(bytes_of(replication::encode_handshake(SlaveHandshake{2, true, false})));
  REQUIRE(slave.receive(32));
  slave.send(report(0));
  // Blocks up to `end`.
  std::int64_t at = 0;
  const auto take = [&](std::int64_t end) {
    while (at < end) {
      const BlockHead block = receive_head(slave);
      CHECK(block.offset.value == at);
      CHECK(block.confirmed == master.end());
      REQUIRE(slave.receive(static_cast<std::size_t>(block.bytes)));
      at += block.bytes;
    }
  };
  take(kWindow);
  CHECK(at == kWindow);
  slave.send(report(kWindow));
  take(master.end().value);
}

TEST_CASE("epoch sender: no block is of two segments or two epochs") {
  EpochMember master(1);
  std::vector<std::int64_t> starts;  // of epochs
  for (std::int32_t epoch = 1; epoch <= 3; ++epoch) {
    master.lead(Epoch{epoch}, {1, 2});
    starts.push_back(master.epochs.history().last()->start.value);
    for (int i = 0; i < 40; ++i) master.append(std::string(2000, 'x'));
    if (epoch < 3) master.end_lead();
  }
  RawSlave slave(master.ha_address());
  slave.send(handshake(2));
  REQUIRE(slave.receive(20 + 12 * 3));
  slave.send(report(0));
  const std::int64_t segment = master.config.store.commit_log_segment_bytes;
  std::int64_t at = 0;
  std::size_t blocks = 0;
  while (at < master.end().value) {
    const BlockHead block = receive_head(slave);
    CHECK(block.offset.value == at);
    if (block.bytes == 0) continue;
    const std::int64_t last = at + block.bytes - 1;
    CHECK(at / segment == last / segment);
    const auto epoch = static_cast<std::size_t>(block.epoch.value);
    CHECK(block.epoch_start.value == starts[epoch - 1]);
    CHECK(at >= starts[epoch - 1]);
    if (epoch < 3) CHECK(last < starts[epoch]);
    REQUIRE(slave.receive(static_cast<std::size_t>(block.bytes)));
    at += block.bytes;
    ++blocks;
  }
  CHECK(blocks >= 6);  // four segments, and two epochs begin within one
}

TEST_CASE("epoch sender: what cannot be ends the session, and counts for nothing") {
  EpochMember master(1);
  master.lead(Epoch{1}, {1, 2});
  const std::int64_t end = master.append("m");
  const auto ends = [&](const Bytes& bytes, std::int64_t acknowledged = 0) {
    RawSlave slave(master.ha_address());
    slave.send(bytes);
    slave.await_end();
    while (!master.reign->peers().empty()) std::this_thread::yield();
    CHECK(master.acknowledged.value().value == acknowledged);
  };
  ends(report(0) + report(0));                       // no handshake
  ends(handshake(7));                                // not of this set
  ends(handshake(1));                                // the master itself
  ends(handshake(2) + handshake(2));                 // twice
  ends(handshake(2) + report(0) + report(end + 1));  // what was never written
  ends(handshake(2) + report(-1));
  ends(handshake(2) + report(end - 1) + report(1), end - 1);  // less than before
  // It is still well.
  EpochMember slave(2);
  slave.follow(master);
  await_mark(master.acknowledged, end);
}

TEST_CASE("epoch sender: nobody is served before a reign and after it") {
  EpochMember master(1);
  { RawSlave(master.ha_address()).await_end(); }
  master.lead(Epoch{1}, {1, 2});
  RawSlave slave(master.ha_address());
  slave.send(handshake(2));
  REQUIRE(slave.receive(32));
  master.end_lead();
  slave.await_end();
  { RawSlave(master.ha_address()).await_end(); }
}

TEST_CASE("epoch receiver: what cannot be ends the session, and the log stays as it is") {
  const Bytes hands = master_handshake(1, 1000);
  const Bytes none(100, std::byte{0});
  const std::vector<Bytes> wrong{
      none,                                  // no frame
      block_head(0, 100, 1) + none,          // before the handshake
      hands + hands,                         // twice
      master_handshake(1, -1),               // an end that cannot be
      hands + block_head(0, 100, 1) + none,  // not a record
      hands + block_head(7, 10, 1) + none,   // nor does one begin there
      hands + block_head(0, -5, 1),          // a size that cannot be
      hands + block_head(0, 100, 2) + none,  // of an epoch to come
  };
  EpochMember slave(2);
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    CAPTURE(i);
    RawMaster master(wrong[i]);
    slave.follow(master.address(), Epoch{1});
    const Bytes heard = master.ended.take();
    CHECK(Bytes(heard.begin(), heard.begin() + 16) == handshake(2));
    (void)master.ended.take();  // it has come again
    slave.stop_following();
    CHECK(slave.end() == PhysicalOffset{0});
    CHECK(slave.receiver->confirmed() == ConfirmedOffset{0});
  }
  CHECK(slave.newer.take() == Epoch{2});
}

TEST_CASE("epoch receiver: a master of a reign that is over gets nothing") {
  RawMaster master(master_handshake(1, 1000));
  EpochMember slave(2);
  slave.follow(master.address(), Epoch{2});
  CHECK(master.ended.take() == handshake(2));
}

TEST_CASE("epoch receiver: a slave reports now and then that it is there") {
  RawMaster master(master_handshake(1, 0));
  EpochMember slave(2);
  slave.follow(master.address(), Epoch{1});
  while (!slave.receiver->connected()) std::this_thread::yield();
  std::int64_t first = 0;
  while (first == 0) slave.on_control([&] { first = slave.receiver->status().last_write_ms; });
  std::int64_t later = first;
  while (later == first) {
    slave.on_control([&] { later = slave.receiver->status().last_write_ms; });
  }
  slave.stop_following();
  const Bytes heard = master.ended.take();
  CHECK(Bytes(heard.begin(), heard.begin() + 40) == handshake(2) + report(0) + report(0));
}

TEST_CASE("epoch receiver: it can be stopped, and sent elsewhere, while nobody answers") {
  EpochMember master(1);
  EpochMember slave(2);
  master.lead(Epoch{1}, {1, 2});
  const std::int64_t end = master.append("m");
  // Nobody listens there.
  slave.follow("127.0.0.1:1", Epoch{1});
  slave.stop_following();
  slave.follow("127.0.0.1:1", Epoch{1});
  slave.follow(master);
  await_mark(slave.store().appended(), end);
}

}  // namespace rmq::roles::broker
