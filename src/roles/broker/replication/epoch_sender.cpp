#include "roles/broker/replication/epoch_sender.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "base/log.h"
#include "net/await.h"
#include "net/await_pool.h"
#include "replication/epoch_stream.h"
#include "storage/store_errc.h"

namespace rmq::roles::broker {
namespace {

using replication::BlockHead;
using replication::FeederLog;
using storage::RecordSpan;
using SteadyClock = std::chrono::steady_clock;

// When too much waits for the disk.
constexpr std::chrono::milliseconds kBusyPause{10};

replication::FeederConfig feeder_config(const BrokerConfig& config) {
  replication::FeederConfig feeder;
  feeder.block_bytes_max = std::min(config.ha_transfer_batch_bytes, replication::kBlockBytesMax);
  feeder.heartbeat = config.ha_send_heartbeat_interval;
  return feeder;
}

}  // namespace

// What one slave is sent. On its stream's thread.
struct EpochSender::Session {
  Session(std::shared_ptr<net::ByteStream> its_stream, std::shared_ptr<LeadingReign> its_reign,
          LeadingReign::Connection its_connection, const replication::FeederConfig& config)
      : stream(std::move(its_stream)),
        reign(std::move(its_reign)),
        connection(its_connection),
        feeder(config, reign->epoch()),
        feeder_config(config) {}

  const std::shared_ptr<net::ByteStream> stream;
  const std::shared_ptr<LeadingReign> reign;
  const LeadingReign::Connection connection;
  replication::Feeder feeder;
  const replication::FeederConfig feeder_config;
  bool over = false;
  bool window_full = false;      // a report may make room
  net::Event wake;               // there is room, or it is over
  std::optional<Error> failure;  // of sending
  SteadyTime sent_at;
  PhysicalOffset confirmed_sent;
  SteadyTime allowed;  // when the bandwidth allows the next block
};

EpochSender::EpochSender(const BrokerConfig& config, storage::MessageStore& store,
                         BlockingPool& disk, net::IoThreads& threads)
    : config_(config),
      store_(store),
      disk_(disk),
      server_(
          threads,
          [this](std::shared_ptr<net::ByteStream> stream) { return serve(std::move(stream)); },
          config.ha_housekeeping_interval) {}

Result<> EpochSender::listen(const std::string& address, std::uint16_t port) {
  return server_.listen(address, port);
}
void EpochSender::start() { server_.start_accepting(); }
void EpochSender::stop() {
  server_.stop();
  end_reign();
}

void EpochSender::lead(std::shared_ptr<LeadingReign> reign) {
  MutexLock lock(mutex_);
  close_streams();
  reign_ = std::move(reign);
}

void EpochSender::end_reign() {
  MutexLock lock(mutex_);
  close_streams();
  reign_ = nullptr;
}

void EpochSender::close_streams() {
  for (const auto& weak : streams_) {
    if (const auto stream = weak.lock()) stream->close();
  }
  streams_.clear();
}

// Null while this broker does not lead.
std::shared_ptr<EpochSender::Session> EpochSender::open(std::shared_ptr<net::ByteStream> stream) {
  MutexLock lock(mutex_);
  if (!reign_) return nullptr;
  std::erase_if(streams_, [](const auto& weak) { return weak.expired(); });
  streams_.push_back(stream);
  return std::make_shared<Session>(std::move(stream), reign_, ++last_connection_,
                                   feeder_config(config_));
}

net::Task<> EpochSender::serve(std::shared_ptr<net::ByteStream> stream) {
  const std::shared_ptr<Session> session = open(stream);
  const std::string slave = stream->peer().text();
  if (!session) {
    log::debug("replication", "a slave is sent away: this broker does not lead",
               kv("slave", slave));
    co_return;
  }
  const Result<> known = co_await shake_hands(session);
  if (!known) {
    log::warn("replication", "a slave is sent away", kv("slave", slave),
              kv("why", known.error().message()));
    co_return;
  }
  const replication::ReplicaId replica = session->feeder.slave().replica;
  const Result<> ended = co_await hear_reports(session);
  session->reign->disconnect(replica, session->connection);
  stream->close();
  session->over = true;
  session->wake.set();
  const Error& why = session->failure ? *session->failure : ended.error();
  log::warn("replication", "a slave is gone", kv("slave", slave), kv("replica", replica),
            kv("why", why.message()));
}

net::Task<Result<>> EpochSender::shake_hands(std::shared_ptr<Session> session) {
  // All of it, in whatever pieces it comes; a slave in Java sends it in one.
  std::array<std::byte, replication::kSlaveHandshakeBytes> frame;
  const Result<> heard = co_await session->stream->read(frame);
  if (!heard) co_return fail(heard.error());
  RMQ_CO_TRY(const replication::SlaveHandshake theirs, replication::decode_slave_handshake(frame));
  RMQ_CO_TRY(const replication::MasterHandshake ours,
             session->feeder.on_handshake(theirs, log_of(*session)));
  const std::string slave = session->stream->peer().text();
  RMQ_CO_CHECK(session->reign->connect(theirs, session->connection, slave));
  const Bytes answer = replication::encode_handshake(ours);
  const std::array<ByteView, 1> parts{ByteView(answer)};
  const Result<> sent = co_await session->stream->write(parts);
  if (!sent) {
    session->reign->disconnect(theirs.replica, session->connection);
    co_return fail(sent.error());
  }
  log::info("replication", "a slave connects", kv("slave", slave), kv("replica", theirs.replica),
            kv("epoch", ours.epoch.value), kv("learner", theirs.learner));
  co_return Result<>{};
}

// Until the stream ends, or the slave says what cannot be: always with the reason.
net::Task<Result<>> EpochSender::hear_reports(std::shared_ptr<Session> session) {
  std::array<std::byte, replication::kReportBytes> frame;
  for (;;) {
    const bool first = !session->feeder.transferring();
    const Result<> heard = co_await session->stream->read(frame);
    if (!heard) co_return fail(heard.error());
    RMQ_CO_TRY(const replication::Report report, replication::decode_report(frame));
    RMQ_CO_CHECK(session->feeder.on_report(report, log_of(*session)));
    RMQ_CO_CHECK(
        session->reign->ack(session->feeder.slave().replica, session->connection, report.offset));
    if (session->window_full) session->wake.set();
    if (!first) continue;
    log::info("replication", "a slave follows", kv("slave", session->stream->peer().text()),
              kv("replica", session->feeder.slave().replica),
              kv("from", session->feeder.position().value));
    std::function<net::Task<>()> send = [this, session] { return send_log(session); };
    net::spawn(session->stream->thread(), "epoch sender", std::move(send));
  }
}

// Ends when the stream does.
net::Task<> EpochSender::send_log(std::shared_ptr<Session> session) {
  while (!session->over) {
    const std::optional<BlockHead> head =
        session->feeder.next(segment_of(*session), SteadyClock::now());
    Result<> done;
    if (head) {
      const BlockHead block = *head;
      Result<> sent = co_await send_block(session, block);
      done = std::move(sent);
    } else {
      Result<> woken = co_await wait_for_more(session);
      done = std::move(woken);
    }
    if (done) continue;
    if (!session->over) session->failure = done.error();
    break;
  }
  session->stream->close();
}

net::Task<Result<>> EpochSender::send_block(std::shared_ptr<Session> session, BlockHead head) {
  const auto frame = replication::encode_block_head(head);
  std::vector<RecordSpan> spans;
  std::vector<ByteView> parts{ByteView(frame)};
  for (PhysicalOffset at = head.offset; at < head.end();) {
    const auto size = static_cast<std::size_t>(head.end() - at);
    const Result<RecordSpan> span = co_await read_log(at, size);
    if (!span || span->bytes.empty()) {
      const Error why =
          span ? Error{make_error_code(storage::StoreErrc::OffsetOutOfRange), {}} : span.error();
      co_return fail(why.code, "the log cannot be sent from " + std::to_string(at.value) +
                                   " on: " + why.message());
    }
    at += static_cast<std::int64_t>(span->bytes.size());
    parts.push_back(span->bytes);
    spans.push_back(*span);
  }
  // Before they are sent: the acknowledgement may come at once.
  session->reign->note_sent(session->connection, head.end());
  const Result<> sent = co_await session->stream->write(parts);
  if (!sent) co_return fail(sent.error());
  session->sent_at = SteadyClock::now();
  session->confirmed_sent = head.confirmed;
  if (config_.ha_flow_control_enable) co_await limit_bandwidth(session, head.bytes);
  co_return Result<>{};
}

net::Task<> EpochSender::limit_bandwidth(std::shared_ptr<Session> session, std::int64_t bytes) {
  const double seconds =
      static_cast<double>(bytes) / static_cast<double>(config_.max_ha_transfer_bytes_per_second);
  session->allowed =
      std::max(session->allowed, session->sent_at) +
      std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds));
  const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(session->allowed - SteadyClock::now());
  if (wait > std::chrono::milliseconds(1)) co_await net::sleep_for(wait);
}

// Until the feeder may have something to send: the window has room, the log has grown, a heartbeat
// is due. While the slave does not know all that it has to be confirmed, it is looked at now and
// then, because that grows with every report. Error: the store's, when its reign has ended.
net::Task<Result<>> EpochSender::wait_for_more(std::shared_ptr<Session> session) {
  struct News {
    net::Event event;
    Mutex mutex;
    Result<> outcome RMQ_GUARDED_BY(mutex);
  };
  const auto news = std::make_shared<News>();
  session->wake = news->event;
  const auto tell = [news](Result<> outcome) {
    {
      MutexLock lock(news->mutex);
      if (!outcome) news->outcome = std::move(outcome);
    }
    news->event.set();
  };
  SteadyTime due = session->sent_at + session->feeder_config.heartbeat;
  const PhysicalOffset position = session->feeder.position();
  if (session->confirmed_sent < position) {
    due = std::min(due, SteadyClock::now() + session->feeder_config.confirmed_news);
  }
  std::optional<Watermark<AppendedOffset>::Ticket> grown;
  session->window_full = store_.appended().value().value > position.value;
  if (!session->window_full) {
    grown = store_.appended().when_at_least(AppendedOffset{position.value + 1}, tell);
  }
  (void)co_await news->event.wait_until(due);
  session->window_full = false;
  if (grown) store_.appended().cancel(*grown);
  MutexLock lock(news->mutex);
  co_return news->outcome;
}

// What of the log there is; on a pool where it is not in memory.
net::Task<Result<RecordSpan>> EpochSender::read_log(PhysicalOffset at, std::size_t size) {
  Result<RecordSpan> block = store_.read_log(at, size, storage::MayWait::No);
  if (block || block.error().code != storage::StoreErrc::NotInMemory) co_return block;
  for (;;) {
    std::function<Result<RecordSpan>()> read = [this, at, size] {
      return store_.read_log(at, size, storage::MayWait::Yes);
    };
    Result<RecordSpan> cold = co_await net::run_on(disk_, std::move(read));
    const bool busy = !cold && cold.error().code == std::errc::resource_unavailable_try_again;
    if (!busy) co_return cold;
    co_await net::sleep_for(kBusyPause);
  }
}

FeederLog EpochSender::log_of(const Session& session) const {
  const PhysicalOffset begin = store_.min_physical();
  const PhysicalOffset end{store_.appended().value().value};
  return {session.reign->history(), begin, std::max(begin, store_.segment_begin(end)), end,
          PhysicalOffset{session.reign->confirmed().value}};
}

// The same, up to the end of the segment in which the next block begins: no block is in two.
FeederLog EpochSender::segment_of(const Session& session) const {
  FeederLog log = log_of(session);
  const PhysicalOffset segment = store_.segment_begin(session.feeder.position());
  log.end = std::min(log.end, segment + config_.store.commit_log_segment_bytes);
  return log;
}

}  // namespace rmq::roles::broker
