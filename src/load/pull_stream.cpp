#include "load/pull_stream.h"

#include <utility>

#include "load/answer_error.h"
#include "load/frame_template.h"
#include "protocol/frame.h"
#include "protocol/header_fields.h"
#include "protocol/message_record.h"
#include "protocol/pull.h"

namespace rmq::load {
namespace {

using protocol::ResponseCode;

constexpr std::int64_t kHoldMs = 15'000;

bool is_an_answer(std::int32_t code) {
  switch (static_cast<ResponseCode>(code)) {
    case ResponseCode::Success:
    case ResponseCode::PullNotFound:
    case ResponseCode::PullRetryImmediately:
    case ResponseCode::PullOffsetMoved:
      return true;
    default:
      return false;
  }
}

}  // namespace

PullStream::PullStream(PullStreamOptions options)
    : options_(std::move(options)), cursors_(options_.ranges.size()) {
  for (std::size_t i = 0; i < cursors_.size(); ++i) cursors_[i].next = options_.ranges[i].begin;
}

void PullStream::begin(net::Connection& connection, const Window& window) {
  window_ = window;
  for (std::size_t i = 0; i < cursors_.size(); ++i) {
    if (wants_more(cursors_[i], options_.ranges[i])) ask(connection, i);
  }
  if (reading_ == 0) drained_.set();
}

void PullStream::end() {
  ended_ = true;
  // Pulls that a broker holds are answered too late to wait for them.
  if (reading_ == 0 || options_.until == PullUntil::Follow) drained_.set();
}

void PullStream::on_closed(net::Connection&) {
  const bool owed = !ended_ || options_.until != PullUntil::Follow;
  if (owed && reading_ > 0) result_.errors["not answered"] += reading_;
  drained_.set();
  closed_.set();
}

bool PullStream::wants_more(Cursor& cursor, const PullStreamOptions::Range& range) const {
  if (ended_) return false;
  if (options_.until == PullUntil::Follow) return true;
  if (cursor.next < range.end) return true;
  if (options_.until == PullUntil::End || range.begin == range.end) return false;
  cursor.next = range.begin;
  return true;
}

void PullStream::ask(net::Connection& connection, std::size_t index) {
  Cursor& cursor = cursors_[index];
  const client::MessageQueue& queue = options_.ranges[index].queue;
  protocol::PullMessageRequest header;
  header.consumer_group = options_.group;
  header.topic = queue.topic;
  header.queue_id = queue.queue_id;
  header.queue_offset = cursor.next;
  header.max_msg_nums = options_.batch;
  header.sys_flag = protocol::kPullSubscription;
  if (options_.until == PullUntil::Follow) {
    header.sys_flag |= protocol::kPullSuspend;
    header.suspend_timeout_millis = kHoldMs;
  }
  header.subscription = options_.expression;
  header.broker_name = queue.broker_name;
  protocol::Command request = protocol::make_request(protocol::RequestCode::PullMessage, header);
  request.opaque = FrameTemplate::kOpaqueBase + static_cast<std::int32_t>(index);
  request.type = options_.type;
  protocol::encode_frame(request, connection.out().tail());
  cursor.asked_at = std::chrono::steady_clock::now();
  cursor.reading = true;
  ++reading_;
}

void PullStream::on_response(net::ReadTurn& turn, const protocol::CommandView& response) {
  const auto index = static_cast<std::size_t>(response.opaque - FrameTemplate::kOpaqueBase);
  if (response.opaque < FrameTemplate::kOpaqueBase || index >= cursors_.size()) return;
  Cursor& cursor = cursors_[index];
  if (!std::exchange(cursor.reading, false)) return;
  --reading_;
  count(response, cursor, turn.arrived);
  const auto fields = protocol::decode_fields<protocol::PullMessageResponse>(response);
  if (is_an_answer(response.code) && fields) cursor.next = fields->next_begin_offset;
  if (wants_more(cursor, options_.ranges[index])) ask(turn.connection, index);
  if (reading_ == 0) drained_.set();
}

void PullStream::count(const protocol::CommandView& response, const Cursor& cursor,
                       SteadyTime now) {
  const bool measured = window_.contains(now);
  if (!is_an_answer(response.code)) {
    if (measured) ++result_.errors[answer_error(response)];
    return;
  }
  std::uint64_t messages = 0;
  ByteView rest = response.body;
  while (response.code == 0 && rest.size() >= sizeof(std::int32_t)) {
    const auto size = static_cast<std::size_t>(load_big_endian<std::int32_t>(rest.data()));
    if (size < sizeof(std::int32_t) || size > rest.size()) break;
    ++messages;
    if (options_.end_to_end) {
      const auto record = protocol::decode_record(rest.first(size));
      const auto stamp = record ? read_stamp(record->body) : std::nullopt;
      if (stamp && window_.contains(*stamp)) result_.latency.record(now - *stamp);
    }
    rest = rest.subspan(size);
  }
  messages_.fetch_add(messages, std::memory_order_relaxed);
  if (!options_.end_to_end && window_.contains(cursor.asked_at)) {
    result_.latency.record(now - cursor.asked_at);
  }
  if (!measured) return;
  ++result_.requests;
  result_.messages += messages;
  result_.bytes += response.body.size();
}

}  // namespace rmq::load
