#include "roles/broker/replication/epoch_receiver.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "base/log.h"
#include "base/mutex.h"
#include "net/await_pool.h"
#include "replication/epoch_stream.h"
#include "replication/replication_errc.h"
#include "storage/disk_full.h"
#include "storage/store_errc.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using replication::BlockHead;
using replication::EpochStreamReader;
using replication::MasterHandshake;
using replication::ReplicationErrc;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kConnectTimeout = 3s;
// Between two attempts.
constexpr std::chrono::milliseconds kRetry = 100ms;
constexpr std::chrono::milliseconds kRetryMax = 1s;
// Longer than a master waits for a member of its set that is gone: this one keeps nobody waiting.
constexpr std::chrono::milliseconds kRetryFull = 2s;
constexpr std::chrono::milliseconds kRetryHopeless = 5s;
// When too much waits for the disk.
constexpr std::chrono::milliseconds kBusyPause = 10ms;
// What is in the log when a session begins is on disk within this time.
constexpr std::chrono::milliseconds kFlushTimeout = 60s;
constexpr std::size_t kReadBytes = 256 * 1024;

// Nothing but an operator changes that.
const char* advice(const Error& why) {
  if (why.code == ReplicationErrc::NoCommonPoint || why.code == ReplicationErrc::LogWithoutEpochs) {
    return "stop this broker, move its store directory away, and start it: it copies the master's";
  }
  if (why.code == storage::StoreErrc::DivergedTooLong) return "see 'why'";
  return nullptr;
}

}  // namespace

// One connection to a master. On its stream's thread.
struct EpochReceiver::Session {
  Session(Target its_target, std::shared_ptr<net::ByteStream> its_stream,
          const replication::FollowerConfig& config, replication::FollowerLog log)
      : target(std::move(its_target)),
        stream(std::move(its_stream)),
        follower(config, target.epoch, std::move(log)) {}

  const Target target;
  const std::shared_ptr<net::ByteStream> stream;
  replication::Follower follower;
  EpochStreamReader reader;
  PhysicalOffset confirmed;  // that the store was told
  bool over = false;
  net::Event wake;     // a report is to be sent, or it is over
  net::Event reports;  // send_reports() has ended
  Outcome outcome;
  net::Event done;
};

EpochReceiver::EpochReceiver(const BrokerConfig& config, storage::MessageStore& store,
                             EpochFile& epochs, BlockingPool& disk, net::IoThreads& threads,
                             Clock& clock, Hooks hooks)
    : config_(config),
      store_(store),
      epochs_(epochs),
      disk_(disk),
      threads_(threads),
      clock_(clock),
      hooks_(std::move(hooks)) {}

void EpochReceiver::follow(replication::ReplicaId self, const replication::ReignInfo& reign,
                           std::string ha_address, ConfirmedOffset confirmed) {
  raise_confirmed(confirmed.value);
  Target target{self, reign.epoch, std::move(ha_address)};
  if (target_ == target) return;
  (void)stop_following();
  log::info("replication", "follows", kv("master", target.address),
            kv("epoch", target.epoch.value));
  target_ = std::move(target);
  changed_ = net::Event();
  std::function<net::Task<>()> loop = [this, number = number_, its = *target_] {
    return run(number, its);
  };
  net::spawn(threads_.control(), "epoch receiver", std::move(loop));
}

// What must happen now does so before the task is awaited.
net::Task<> EpochReceiver::stop_following() {
  target_.reset();
  ++number_;
  failure_.clear();
  changed_.set();
  if (stream_) stream_->close();
  return wait_for_end(session_over_);
}

net::Task<> EpochReceiver::wait_for_end(std::optional<net::Event> session) {
  if (session) (void)co_await session->wait_until(SteadyTime::max());
}

std::optional<PhysicalOffset> EpochReceiver::shared_end() const {
  const std::int64_t end = shared_end_.load(std::memory_order_acquire);
  return end < 0 ? std::nullopt : std::optional(PhysicalOffset{end});
}

ReceiverStatus EpochReceiver::status() const {
  ReceiverStatus status;
  if (target_) status.master = target_->address;
  status.last_read_ms = last_read_ms_.load(std::memory_order_relaxed);
  status.last_write_ms = last_write_ms_.load(std::memory_order_relaxed);
  status.received_in_second = received_in_second_;
  return status;
}

void EpochReceiver::sample() {
  const std::int64_t received = received_.load(std::memory_order_relaxed);
  received_in_second_ = received - std::exchange(sampled_, received);
}

// Until another target has taken its place.
net::Task<> EpochReceiver::run(std::uint64_t number, Target target) {
  std::chrono::milliseconds pause = kRetry / 2;
  const net::Event changed = changed_;
  while (number == number_) {
    const Target its = target;
    const Outcome outcome = co_await run_session(number, its);
    if (number != number_) break;
    note_end(outcome);
    pause = outcome.transferred ? kRetry : std::min(2 * pause, kRetryMax);
    if (storage::wants_room(outcome.why)) pause = kRetryFull;
    if (advice(outcome.why) != nullptr) pause = kRetryHopeless;
    if (outcome.newer && hooks_.on_newer_epoch) hooks_.on_newer_epoch(*outcome.newer);
    (void)co_await changed.wait_until(SteadyClock::now() + pause);
  }
}

// Says it, once.
void EpochReceiver::note_end(const Outcome& outcome) {
  std::string failure = outcome.why.message();
  const char* const what_to_do = advice(outcome.why);
  if (failure != failure_) {
    if (what_to_do != nullptr) {
      log::error("replication", "this replica cannot follow its master",
                 kv("master", target_->address), kv("why", failure), kv("advice", what_to_do));
    } else {
      log::warn("replication", "the master's log does not come", kv("master", target_->address),
                kv("why", failure));
    }
  }
  failure_ = std::move(failure);
}

// Returns when the session has ended, always with the reason.
net::Task<EpochReceiver::Outcome> EpochReceiver::run_session(std::uint64_t number, Target target) {
  const std::string address = target.address;
  Result<std::shared_ptr<net::ByteStream>> connected = co_await net::ByteStream::connect(
      threads_.streams(), resolver_, address, kConnectTimeout, config_.ha_housekeeping_interval);
  if (!connected) co_return Outcome{connected.error(), false, {}};
  // The session before may still be at work.
  while (session_over_) {
    const std::optional<net::Event> before = session_over_;
    co_await wait_for_end(before);
  }
  if (number != number_) {
    (*connected)->close();
    co_return Outcome{{make_error_code(net::NetErrc::ConnectionClosed), {}}, false, {}};
  }
  session_over_.emplace();
  stream_ = *connected;
  (void)store_.resume_log();
  replication::FollowerConfig config;
  config.self = target.self;
  config.ack_flushed = config_.store.flush_disk_type == storage::FlushDiskType::Sync;
  replication::FollowerLog log;
  log.history = epochs_.history();
  log.is_copy = log_is_copy_;
  log.begin = store_.min_physical();
  log.end = PhysicalOffset{store_.appended().value().value};
  log.confirmed = std::min(log.end, PhysicalOffset{confirmed().value});
  const auto session = std::make_shared<Session>(target, stream_, config, std::move(log));
  std::function<net::Task<>()> work = [this, session]() -> net::Task<> {
    Result<> ended = co_await receive(session);
    session->over = true;
    session->stream->close();
    session->wake.set();
    session->outcome.why = ended.error();
    session->outcome.transferred = session->follower.transferring();
    if (session->outcome.transferred) (void)co_await session->reports.wait_until(SteadyTime::max());
    session->done.set();
  };
  net::spawn(session->stream->thread(), "epoch receiver", std::move(work));
  (void)co_await session->done.wait_until(SteadyTime::max());
  shared_end_.store(-1, std::memory_order_release);
  stream_ = nullptr;
  const net::Event over = *std::exchange(session_over_, std::nullopt);
  over.set();
  co_return session->outcome;
}

net::Task<Result<>> EpochReceiver::receive(std::shared_ptr<Session> session) {
  session->stream->start();
  const auto handshake = replication::encode_handshake(session->follower.handshake());
  const std::array<ByteView, 1> first{ByteView(handshake)};
  RMQ_CO_CHECK(co_await session->stream->write(first));
  Bytes buffer(kReadBytes);
  for (;;) {
    RMQ_CO_TRY(const std::size_t count, co_await session->stream->read_some(buffer));
    received_.fetch_add(static_cast<std::int64_t>(count), std::memory_order_relaxed);
    last_read_ms_.store(clock_.now_ms(), std::memory_order_relaxed);
    const ByteView bytes = ByteView(buffer).first(count);
    Result<> taken = co_await take_parts(session, bytes);
    // Also what came before a fault.
    if (session->follower.transferring()) note_log(*session);
    if (!taken) co_return taken;
  }
}

net::Task<Result<>> EpochReceiver::take_parts(std::shared_ptr<Session> session, ByteView bytes) {
  for (;;) {
    RMQ_CO_TRY(const std::optional<EpochStreamReader::Part> part, session->reader.next(bytes));
    if (!part) co_return Result<>{};
    if (const auto* log = std::get_if<EpochStreamReader::BlockBytes>(&*part)) {
      RMQ_CO_CHECK(store_.append_log(log->offset, log->bytes));
    } else if (const auto* head = std::get_if<BlockHead>(&*part)) {
      const BlockHead block = *head;
      RMQ_CO_CHECK(co_await on_block(session, block));
    } else {
      MasterHandshake handshake = std::get<MasterHandshake>(*part);
      RMQ_CO_CHECK(co_await on_handshake(session, std::move(handshake)));
    }
  }
}

net::Task<Result<>> EpochReceiver::on_handshake(std::shared_ptr<Session> session,
                                                MasterHandshake handshake) {
  const Result<replication::Cut> answer = session->follower.on_handshake(handshake);
  if (!answer) {
    if (answer.error().code == ReplicationErrc::NewerEpoch) {
      session->outcome.newer = handshake.epoch;
    }
    co_return fail(answer.error());
  }
  const PhysicalOffset to = answer->to;
  std::function<Result<>()> work = [this, session, to, adopted = answer->adopted]() -> Result<> {
    const PhysicalOffset known{confirmed().value};
    RMQ_CHECK(cut(session->target, to, std::min(known, to)));
    return adopted ? epochs_.adopt(*adopted) : Result<>();
  };
  RMQ_CO_CHECK(co_await on_disk(std::move(work)));
  // The first report acknowledges all of it.
  store_.request_flush();
  const FlushedOffset all{to.value};
  RMQ_CO_CHECK(
      co_await net::await_at_least(store_.flushed(), all, SteadyClock::now() + kFlushTimeout));
  (void)session->follower.on_cut();
  log::info("replication", "following the master's log", kv("master", session->target.address),
            kv("epoch", session->target.epoch.value), kv("from", to.value));
  note_log(*session);
  std::function<net::Task<>()> reports = [this, session] { return send_reports(session); };
  net::spawn(session->stream->thread(), "epoch reports", std::move(reports));
  co_return Result<>{};
}

// What of the own log the master does not have is gone afterwards, first there and then in what
// speaks of it; and the store follows.
Result<> EpochReceiver::cut(const Target& target, PhysicalOffset to, PhysicalOffset confirmed) {
  const bool cuts = to.value < store_.appended().value().value;
  if (cuts || store_.reign() != begun_reign_) {
    store_.end_reign(
        {make_error_code(storage::StoreErrc::NoReign),
         "the master of epoch " + std::to_string(target.epoch.value) + " is followed"});
    const std::optional<PhysicalOffset> at = cuts ? std::optional(to) : std::nullopt;
    RMQ_CHECK(store_.begin_reign(storage::MessageStore::Reign::Following, at,
                                 ConfirmedOffset{confirmed.value}));
    begun_reign_ = store_.reign();
  }
  if ((cuts || !clamped_) && hooks_.on_cut) hooks_.on_cut(to);
  clamped_ = true;
  return epochs_.truncate(to);
}

net::Task<Result<>> EpochReceiver::on_block(std::shared_ptr<Session> session, BlockHead head) {
  const Result<std::optional<replication::Append>> append = session->follower.on_block(head);
  if (!append) {
    if (append.error().code == ReplicationErrc::NewerEpoch) session->outcome.newer = head.epoch;
    co_return fail(append.error());
  }
  if (!*append || !(*append)->begins) co_return Result<>{};
  const replication::EpochEntry entry = *(*append)->begins;
  std::function<Result<>()> work = [this, entry] {
    return epochs_.begin(entry.epoch, entry.start);
  };
  RMQ_CO_CHECK(co_await on_disk(std::move(work)));
  co_return Result<>{};
}

// Waits for its turn.
net::Task<Result<>> EpochReceiver::on_disk(std::function<Result<>()> work) {
  for (;;) {
    std::function<Result<bool>()> job = [work]() -> Result<bool> {
      RMQ_CHECK(work());
      return true;
    };
    const Result<bool> done = co_await net::run_on(disk_, std::move(job));
    if (done) co_return Result<>{};
    if (done.error().code != std::errc::resource_unavailable_try_again) {
      co_return fail(done.error());
    }
    co_await net::sleep_for(kBusyPause);
  }
}

// The log as it is now, and what of it is confirmed.
void EpochReceiver::note_log(Session& session) {
  (void)session.follower.on_written(PhysicalOffset{store_.appended().value().value});
  (void)session.follower.on_flushed(PhysicalOffset{store_.flushed().value().value});
  if (const auto end = session.follower.shared_end()) {
    shared_end_.store(end->value, std::memory_order_release);
  }
  const PhysicalOffset confirmed = session.follower.confirmed();
  if (confirmed <= session.confirmed) return;
  session.confirmed = confirmed;
  raise_confirmed(confirmed.value);
  store_.confirm(ConfirmedOffset{confirmed.value});
}

void EpochReceiver::raise_confirmed(std::int64_t to) {
  std::int64_t known = confirmed_.load(std::memory_order_relaxed);
  while (to > known && !confirmed_.compare_exchange_weak(known, to, std::memory_order_release)) {
  }
}

// Tells the master how far the log has come, at once, and now and then that the slave is there.
net::Task<> EpochReceiver::send_reports(std::shared_ptr<Session> session) {
  while (!session->over) {
    const replication::Report report = session->follower.report();
    const auto frame = replication::encode_report(report);
    const std::array<ByteView, 1> parts{ByteView(frame)};
    const Result<> sent = co_await session->stream->write(parts);
    if (!sent) break;
    last_write_ms_.store(clock_.now_ms(), std::memory_order_relaxed);
    const Result<> waited = co_await wait_for_news(session, report.offset);
    if (!waited || session->over) break;
    note_log(*session);
  }
  session->stream->close();
  session->reports.set();
}

// Until there is more to report than `told`, or it is time to say so again. Error: the store's.
net::Task<Result<>> EpochReceiver::wait_for_news(std::shared_ptr<Session> session,
                                                 PhysicalOffset told) {
  struct News {
    net::Event event;
    Mutex mutex;
    Result<> outcome RMQ_GUARDED_BY(mutex);
  };
  const auto news = std::make_shared<News>();
  const auto tell = [news](Result<> outcome) {
    {
      MutexLock lock(news->mutex);
      news->outcome = std::move(outcome);
    }
    news->event.set();
  };
  if (session->over) co_return Result<>{};
  session->wake = news->event;
  const SteadyTime due = SteadyClock::now() + config_.ha_send_heartbeat_interval;
  const bool flushed = config_.store.flush_disk_type == storage::FlushDiskType::Sync;
  std::optional<std::pair<std::int64_t, std::uint64_t>> ticket;
  if (flushed) {
    ticket = store_.flushed().when_at_least(FlushedOffset{told.value + 1}, tell);
  } else {
    ticket = store_.appended().when_at_least(AppendedOffset{told.value + 1}, tell);
  }
  (void)co_await news->event.wait_until(due);
  if (ticket && flushed) store_.flushed().cancel(*ticket);
  if (ticket && !flushed) store_.appended().cancel(*ticket);
  MutexLock lock(news->mutex);
  co_return news->outcome;
}

}  // namespace rmq::roles::broker
