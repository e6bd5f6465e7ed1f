#include "roles/broker/replication/log_receiver.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <utility>

#include "base/log.h"
#include "protocol/ha_stream.h"
#include "protocol/header_fields.h"
#include "protocol/request_codes.h"
#include "protocol/route_body.h"
#include "protocol/topic.h"

namespace rmq::roles::broker {
namespace {

using SteadyClock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kConnectTimeout = 3s;
constexpr std::chrono::milliseconds kAskTimeout = 3s;
// Between two attempts, and how often the master's address is looked at while there is none. A
// master that sends this slave away is asked ever more rarely.
constexpr std::chrono::milliseconds kRetry = 1s;
constexpr std::chrono::milliseconds kRetryMax = 16s;
constexpr std::size_t kReadBytes = 256 * 1024;

}  // namespace

LogReceiver::LogReceiver(const BrokerConfig& config, storage::MessageStore& store,
                         net::RpcClient& client, net::IoThreads& threads, Clock& clock)
    : config_(config), store_(store), client_(client), threads_(threads), clock_(clock) {}

void LogReceiver::start() {
  std::function<net::Task<>()> loop = [this] { return run(); };
  net::spawn(threads_.control(), "log receiver", std::move(loop));
}

void LogReceiver::stop() {
  stopping_ = true;
  if (stream_) stream_->close();
  changed_.set();
}

net::Task<> LogReceiver::ended() { (void)co_await ended_.wait_until(SteadyTime::max()); }

void LogReceiver::set_master(MasterAddress master) {
  if (!config_.ha_master_address.empty()) master.ha = config_.ha_master_address;
  if (master == master_) return;
  log::info("replication", "master", kv("broker", master.broker), kv("ha", master.ha));
  master_ = std::move(master);
  if (stream_) stream_->close();
  changed_.set();
}

ReceiverStatus LogReceiver::status() const {
  return {master_.ha, last_read_ms_.load(std::memory_order_relaxed),
          last_write_ms_.load(std::memory_order_relaxed), received_in_second_};
}

void LogReceiver::sample() {
  const std::int64_t received = received_.load(std::memory_order_relaxed);
  received_in_second_ = received - std::exchange(sampled_, received);
}

net::Task<> LogReceiver::run() {
  std::chrono::milliseconds pause = kRetry;
  while (!stopping_) {
    changed_ = net::Event();
    const net::Event changed = changed_;
    if (!master_.ha.empty()) {
      const Result<> ended = co_await follow(master_);
      const bool sent_away = !connected_ && ended.error().code == net::NetErrc::ConnectionClosed;
      pause = sent_away ? std::min(2 * pause, kRetryMax) : kRetry;
      connected_ = false;
      stream_ = nullptr;
      if (stopping_) break;
      std::string failure = ended.error().message();
      if (failure != failure_) {
        log::warn("replication", "the master's log does not come", kv("master", master_.ha),
                  kv("why", failure));
      }
      failure_ = std::move(failure);
    }
    (void)co_await changed.wait_until(SteadyClock::now() + pause);
  }
  ended_.set();
}

// Returns when the stream has ended, always with the reason.
net::Task<Result<>> LogReceiver::follow(const MasterAddress& master) {
  const std::string address = master.ha;
  const MasterAddress asked_of = master;
  PhysicalOffset wanted = store_.resume_log();
  if (wanted.value == 0) wanted = co_await first_wanted(asked_of);
  RMQ_CO_TRY(stream_,
             co_await net::ByteStream::connect(threads_.streams(), resolver_, address,
                                               kConnectTimeout, config_.ha_housekeeping_interval));
  if (stopping_ || master_ != asked_of) {
    co_return fail(net::NetErrc::ConnectionClosed, "it is the master no more");
  }
  struct Shared {
    Result<> ended;
    net::Event done;
  };
  const auto shared = std::make_shared<Shared>();
  std::function<net::Task<>()> work = [this, shared, stream = stream_, wanted]() -> net::Task<> {
    Result<> ended = co_await receive(stream, wanted);
    stream->close();
    shared->ended = std::move(ended);
    shared->done.set();
  };
  net::spawn(stream_->thread(), "log receiver", std::move(work));
  (void)co_await shared->done.wait_until(SteadyTime::max());
  co_return std::move(shared->ended);
}

// The own log is empty: what to ask for, so that the master sends all that it has.
net::Task<PhysicalOffset> LogReceiver::first_wanted(const MasterAddress& master) {
  if (master.broker.empty()) co_return PhysicalOffset{};
  const protocol::GetBrokerRuntimeInfoRequest header;
  protocol::Command request =
      protocol::make_request(protocol::RequestCode::GetBrokerRuntimeInfo, header);
  const Result<protocol::Command> answer =
      co_await client_.call(master.broker, std::move(request), kAskTimeout);
  if (!answer || answer->code != 0) co_return PhysicalOffset{};
  const auto table = protocol::decode_kv_table(as_text(answer->body));
  if (!table) co_return PhysicalOffset{};
  const auto number = [&](const char* key) {
    std::int64_t value = 0;
    if (const auto found = table->table.find(key); found != table->table.end()) {
      const std::string& text = found->second;
      std::from_chars(text.data(), text.data() + text.size(), value);
    }
    return value;
  };
  const std::int64_t begin = number("commitLogMinOffset");
  const bool empty = number("commitLogMaxOffset") == 0;
  co_return PhysicalOffset{begin > 0 || empty ? begin : 1};
}

net::Task<Result<>> LogReceiver::receive(std::shared_ptr<net::ByteStream> stream,
                                         PhysicalOffset asked) {
  stream->start();
  const auto report = protocol::encode_ha_report(asked);
  const std::array<ByteView, 1> first{ByteView(report)};
  RMQ_CO_CHECK(co_await stream->write(first));
  log::info("replication", "following the master's log", kv("master", stream->peer().text()),
            kv("from", asked.value));
  std::function<net::Task<>()> acks = [this, stream, asked] { return acknowledge(stream, asked); };
  net::spawn(stream->thread(), "log acknowledge", std::move(acks));
  protocol::HaBlockReader reader(
      [this, asked](PhysicalOffset at, ByteView bytes) { return take(asked, at, bytes); });
  Bytes buffer(kReadBytes);
  for (;;) {
    RMQ_CO_TRY(const std::size_t count, co_await stream->read_some(buffer));
    RMQ_CO_CHECK(reader.feed(ByteView(buffer).first(count)));
    connected_ = true;
    received_.fetch_add(static_cast<std::int64_t>(count), std::memory_order_relaxed);
    last_read_ms_.store(clock_.now_ms(), std::memory_order_relaxed);
  }
}

Result<> LogReceiver::take(PhysicalOffset asked, PhysicalOffset at, ByteView bytes) {
  if (asked.value == 1 && at.value == 1 && !bytes.empty()) {
    constexpr std::byte kFirst{0};
    // Once: later it does not follow, and need not.
    const Result<> added = store_.append_log(PhysicalOffset{}, ByteView(&kFirst, 1));
    if (!added) return added;
  }
  // A heartbeat tells the offset of the next byte: a master that has lost what this log has says
  // so, unless there is nothing here yet.
  if (bytes.empty() && at.value <= 1 && store_.appended().value().value == 0) return {};
  return store_.append_log(at, bytes);
}

// Tells the master how far the log has come, at once, and now and then that the slave is there.
net::Task<> LogReceiver::acknowledge(std::shared_ptr<net::ByteStream> stream, PhysicalOffset told) {
  const bool flushed = config_.store.flush_disk_type == storage::FlushDiskType::Sync;
  while (!stream->closed()) {
    const SteadyTime due = SteadyClock::now() + config_.ha_send_heartbeat_interval;
    const FlushedOffset more_on_disk{told.value + 1};
    const AppendedOffset more_here{told.value + 1};
    Result<> grown;
    if (flushed) {
      Result<> on_disk = co_await net::await_at_least(store_.flushed(), more_on_disk, due);
      grown = std::move(on_disk);
    } else {
      Result<> here = co_await net::await_at_least(store_.appended(), more_here, due);
      grown = std::move(here);
    }
    if (!grown && grown.error().code != net::NetErrc::TimedOut) break;
    const std::int64_t have =
        flushed ? store_.flushed().value().value : store_.appended().value().value;
    told = std::max(told, PhysicalOffset{have});
    const auto report = protocol::encode_ha_report(told);
    const std::array<ByteView, 1> parts{ByteView(report)};
    const Result<> sent = co_await stream->write(parts);
    if (!sent) break;
    last_write_ms_.store(clock_.now_ms(), std::memory_order_relaxed);
  }
  stream->close();
}

}  // namespace rmq::roles::broker
