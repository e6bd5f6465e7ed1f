#include "load/send_stream.h"

#include <chrono>
#include <utility>

#include "load/answer_error.h"
#include "protocol/response_codes.h"

namespace rmq::load {
namespace {

using protocol::ResponseCode;

// Stored, if not always as safely as the broker is configured to.
bool is_stored(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::Success:
    case ResponseCode::FlushDiskTimeout:
    case ResponseCode::FlushSlaveTimeout:
    case ResponseCode::SlaveNotAvailable:
      return true;
    default:
      return false;
  }
}

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

SendStream::SendStream(SendStreamOptions options)
    : options_(std::move(options)),
      slots_(options_.in_flight),
      next_queue_(options_.share.first),
      next_number_(options_.first_number) {
  free_.reserve(slots_.size());
  for (std::size_t slot = slots_.size(); slot-- > 0;) free_.push_back(slot);
}

void SendStream::begin(net::Connection& connection, const Window& window) {
  window_ = window;
  if (!options_.closed_loop) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  while (!free_.empty()) send(connection, now);
}

void SendStream::end() {
  ended_ = true;
  if (free_.size() == slots_.size()) drained_.set();
}

void SendStream::on_closed(net::Connection&) {
  drained_.set();
  closed_.set();
}

void SendStream::send_due(net::Connection& connection, SteadyTime due) {
  if (ended_) return;
  if (free_.empty()) {
    waiting_.push_back(due);
  } else {
    send(connection, due);
  }
}

const client::MessageQueue& SendStream::next_queue() {
  const client::MessageQueue& queue = (*options_.queues)[next_queue_];
  if (++next_queue_ == options_.share.end) next_queue_ = options_.share.begin;
  return queue;
}

const FrameTemplate& SendStream::frame_for(const client::MessageQueue& queue) {
  while (!options_.frames[last_frame_].fits(queue)) {
    last_frame_ = (last_frame_ + 1) % options_.frames.size();
  }
  return options_.frames[last_frame_];
}

void SendStream::send(net::Connection& connection, SteadyTime due) {
  const std::size_t slot = free_.back();
  free_.pop_back();
  slots_[slot] = due;
  const client::MessageQueue& queue = next_queue();
  frame_for(queue).append_to(connection.out().tail(), queue,
                             FrameTemplate::kOpaqueBase + static_cast<std::int32_t>(slot),
                             wall_ms(), due, next_number_);
  next_number_ += static_cast<std::uint64_t>(options_.messages_per_frame);
}

void SendStream::on_response(net::ReadTurn& turn, const protocol::CommandView& response) {
  const auto slot = static_cast<std::size_t>(response.opaque - FrameTemplate::kOpaqueBase);
  if (response.opaque < FrameTemplate::kOpaqueBase || slot >= slots_.size()) return;
  count(response, slots_[slot], turn.arrived);
  free_.push_back(slot);
  if (ended_) return end();
  if (options_.closed_loop) {
    send(turn.connection, turn.arrived);
  } else if (!waiting_.empty()) {
    send(turn.connection, waiting_.front());
    waiting_.pop_front();
  }
}

void SendStream::count(const protocol::CommandView& response, SteadyTime due, SteadyTime now) {
  const bool stored = is_stored(response.code);
  const auto messages = static_cast<std::uint64_t>(options_.messages_per_frame);
  if (stored) messages_.fetch_add(messages, std::memory_order_relaxed);
  if (window_.contains(now)) {
    ++result_.requests;
    if (stored) {
      result_.messages += messages;
      result_.bytes += options_.bytes_per_frame;
    }
    if (response.code != 0) ++result_.errors[answer_error(response)];
  }
  // Whenever it came: a server that stalls at the end must not look quick.
  if (window_.contains(due)) result_.latency.record(now - due);
}

LoadResult SendStream::take_result() {
  const std::size_t unanswered = slots_.size() - free_.size() + waiting_.size();
  if (unanswered > 0) result_.errors["not answered"] += unanswered;
  return std::move(result_);
}

}  // namespace rmq::load
