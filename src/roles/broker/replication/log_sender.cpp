#include "roles/broker/replication/log_sender.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <utility>

#include "base/log.h"
#include "net/await.h"
#include "net/await_pool.h"
#include "protocol/ha_stream.h"
#include "storage/store_errc.h"

namespace rmq::roles::broker {
namespace {

using SteadyClock = std::chrono::steady_clock;
using storage::RecordSpan;

// When too much waits for the disk.
constexpr std::chrono::milliseconds kBusyPause{10};

}  // namespace

LogSender::LogSender(const BrokerConfig& config, storage::MessageStore& store, SlaveTable& slaves,
                     BlockingPool& disk, net::IoThreads& threads)
    : config_(config),
      store_(store),
      slaves_(slaves),
      disk_(disk),
      server_(
          threads,
          [this](std::shared_ptr<net::ByteStream> stream) { return serve(std::move(stream)); },
          config.ha_housekeeping_interval) {}

Result<> LogSender::listen(const std::string& address, std::uint16_t port) {
  return server_.listen(address, port);
}
void LogSender::start() { server_.start_accepting(); }
void LogSender::stop() { server_.stop(); }

net::Task<> LogSender::serve(std::shared_ptr<net::ByteStream> stream) {
  std::array<std::byte, protocol::kHaReportBytes> report;
  const Result<> heard = co_await stream->read(report);
  if (!heard) co_return;
  const PhysicalOffset asked = protocol::decode_ha_report(report);
  const Result<PhysicalOffset> begin = begin_of(asked);
  if (!begin) {
    log::error("replication", "a slave cannot follow this log and is sent away",
               kv("slave", stream->peer().text()), kv("why", begin.error().message()));
    co_return;
  }
  const std::uint64_t id = slaves_.add(stream->peer().text(), *begin);
  log::info("replication", "a slave follows", kv("slave", stream->peer().text()),
            kv("from", begin->value));
  std::function<net::Task<>()> send = [this, stream, id, from = *begin] {
    return send_log(stream, id, from);
  };
  net::spawn(stream->thread(), "log sender", std::move(send));
  PhysicalOffset acked = asked;
  Result<> fine;
  while (fine) {
    fine = slaves_.ack(id, acked);
    if (!fine) break;
    const Result<> read = co_await stream->read(report);
    if (!read) {
      fine = fail(read.error());
    } else {
      acked = protocol::decode_ha_report(report);
    }
  }
  slaves_.remove(id);
  log::warn("replication", "a slave is gone", kv("slave", stream->peer().text()),
            kv("why", fine.error().message()));
}

Result<PhysicalOffset> LogSender::begin_of(PhysicalOffset asked) const {
  const PhysicalOffset first = store_.min_physical();
  const PhysicalOffset end{store_.appended().value().value};
  if (asked.value == 0) return first;
  if (asked >= first && asked <= end) return asked;
  return fail(storage::StoreErrc::OffsetOutOfRange,
              "it asks for " + std::to_string(asked.value) + "; the log has " +
                  std::to_string(first.value) + " to " + std::to_string(end.value));
}

// Ends when the stream does.
net::Task<> LogSender::send_log(std::shared_ptr<net::ByteStream> stream, std::uint64_t id,
                                PhysicalOffset from) {
  PhysicalOffset next = from;
  SteadyTime written = SteadyClock::now();
  SteadyTime allowed = written;  // when the bandwidth allows the next block
  while (!stream->closed()) {
    const Result<RecordSpan> block = co_await read_log(next);
    if (!block) {
      log::error("replication", "the log cannot be sent", kv("slave", stream->peer().text()),
                 kv("at", next.value), kv("why", block.error().message()));
      break;
    }
    const ByteView bytes = block->bytes;
    if (bytes.empty()) {
      const AppendedOffset more{next.value + 1};
      const Result<> grown = co_await net::await_at_least(
          store_.appended(), more, written + config_.ha_send_heartbeat_interval);
      if (grown) continue;
      if (grown.error().code != net::NetErrc::TimedOut) break;
    }
    const auto head = protocol::encode_ha_block_head(next, static_cast<std::int32_t>(bytes.size()));
    // Before they are sent: the acknowledgement may come at once.
    next += static_cast<std::int64_t>(bytes.size());
    slaves_.note_sent(id, next);
    const std::array<ByteView, 2> parts{ByteView(head), bytes};
    const Result<> sent = co_await stream->write(parts);
    if (!sent) break;
    written = SteadyClock::now();
    if (!config_.ha_flow_control_enable) continue;
    const double seconds = static_cast<double>(bytes.size()) /
                           static_cast<double>(config_.max_ha_transfer_bytes_per_second);
    allowed = std::max(allowed, written) + std::chrono::duration_cast<SteadyClock::duration>(
                                               std::chrono::duration<double>(seconds));
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(allowed - SteadyClock::now());
    if (wait > std::chrono::milliseconds(1)) co_await net::sleep_for(wait);
  }
  stream->close();
}

// What of the log there is at `next`; on a pool where it is not in memory.
net::Task<Result<RecordSpan>> LogSender::read_log(PhysicalOffset at) {
  const auto size = static_cast<std::size_t>(config_.ha_transfer_batch_bytes);
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

}  // namespace rmq::roles::broker
