#include "net/connection.h"

#include <algorithm>
#include <array>
#include <asio/steady_timer.hpp>
#include <string>
#include <utility>

#include "base/log.h"
#include "net/asio_endpoint.h"
#include "net/await.h"
#include "net/net_limits.h"
#include "protocol/frame.h"
#include "protocol/protocol_errc.h"

namespace rmq::net {
namespace {

std::atomic<std::uint64_t> g_next_connection_id{1};

}  // namespace

struct Connection::PendingCall {
  Event done;
  std::int32_t opaque = 0;  // the connection's thread only
  Result<protocol::Command> result;
};

Connection::Connection(IoThread& thread, Socket socket, Service* service)
    : thread_(thread),
      socket_(std::move(socket)),
      service_(service),
      id_(g_next_connection_id.fetch_add(1, std::memory_order_relaxed)),
      outbox_(thread.chunks_),
      last_active_(std::chrono::steady_clock::now()) {
  thread_.connection_count_.fetch_add(1, std::memory_order_relaxed);
  std::error_code error;
  const auto peer = socket_.remote_endpoint(error);
  if (!error) peer_ = to_endpoint(peer);
  const auto local = socket_.local_endpoint(error);
  if (!error) local_ = to_endpoint(local);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  socket_.non_blocking(true, error);
}

Connection::~Connection() {
  (void)take_partial();
  thread_.connection_count_.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::start() {
  post([](Connection& self) {
    self.thread_.connections_.add(self.id_, self.weak_from_this());
    self.wait_readable();
  });
}

void Connection::close() {
  thread_.post([self = shared_from_this()] { self->close_now("closed by us"); });
}

void Connection::drain() {
  post([](Connection& self) { self.draining_ = true; });
}

void Connection::post(std::function<void(Connection&)> work) {
  if (thread_.is_current()) {
    if (closed()) return;
    work(*this);
    flush();
    return;
  }
  thread_.post([self = shared_from_this(), work = std::move(work)] {
    if (self->closed()) return;
    work(*self);
    self->flush();
  });
}

Task<Result<protocol::Command>> Connection::call(protocol::Command request,
                                                 std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const auto self = shared_from_this();
  const auto pending = std::make_shared<PendingCall>();
  pending->result = fail(NetErrc::ConnectionClosed, peer_.text());
  thread_.post([self, pending, request = std::move(request)]() mutable {
    if (self->closed()) return pending->done.set();
    pending->opaque = request.opaque = self->next_opaque_++;
    if (!protocol::encode_frame(request, self->outbox_.tail())) {
      pending->result = fail(protocol::ProtocolErrc::FrameTooLarge,
                             "a request of " + std::to_string(request.body.size()) + " bytes");
      return pending->done.set();
    }
    self->calls_.emplace(request.opaque, pending);
    self->flush();
  });
  if (co_await pending->done.wait_until(deadline)) co_return std::move(pending->result);
  thread_.post([self, pending] { self->calls_.erase(pending->opaque); });
  co_return fail(NetErrc::TimedOut, peer_.text());
}

void Connection::send_oneway(protocol::Command request) {
  request.flag |= protocol::kFlagOneway;
  post([request = std::move(request)](Connection& self) mutable {
    request.opaque = self.next_opaque_++;
    protocol::encode_frame(request, self.outbox_.tail());
  });
}

void Connection::remove_pending(std::size_t count) {
  RMQ_ASSERT(pending_ >= count);
  pending_ -= count;
  resume_reading();
}

void Connection::resume_reading() {
  if (!paused_ || outbox_.bytes() > kOutboxLowBytes || pending_ > kPendingMax / 2) return;
  paused_ = false;
  wait_readable();
}

void Connection::wait_readable() {
  if (closed() || reading_ || draining_) return;
  if (outbox_.bytes() > kOutboxHighBytes || pending_ > kPendingMax) {
    paused_ = true;
    return;
  }
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](std::error_code error) {
    self->reading_ = false;
    if (self->closed()) return;
    if (error) return self->close_now(error.message());
    self->on_readable();
  });
}

void Connection::on_readable() {
  Read read;
  if (!read_some(read)) {
    if (!paused_) wait_readable();
    return;
  }
  last_active_ = std::chrono::steady_clock::now();
  ReadTurn turn{*this, thread_, last_active_};
  in_turn_ = true;
  served_request_ = false;
  const bool well_formed = serve_frames(turn, read);
  if (served_request_ && service_ != nullptr) service_->on_turn_end(turn);
  in_turn_ = false;
  flush();
  if (!well_formed) return close_now("malformed frame");
  wait_readable();
}

bool Connection::read_some(Read& read) {
  MutableByteView scratch(thread_.read_scratch_);
  // While incomplete frames of others fill the budget, take so little that what is left over is
  // free.
  if (PartialBudget::exhausted()) scratch = scratch.first(kPartialFreeBytes);
  std::array<asio::mutable_buffer, 2> buffers;
  std::size_t lead = 0;
  MutableByteView partial_room;
  if (partial_need_ == 0) {
    lead = partial_have_;
    std::copy_n(partial_.data(), lead, scratch.data());
    buffers[0] = asio::mutable_buffer(scratch.data() + lead, scratch.size() - lead);
  } else {
    if (partial_have_ == partial_.size() && !grow_partial()) return false;
    partial_room = MutableByteView(partial_).subspan(partial_have_);
    buffers[0] = asio::mutable_buffer(partial_room.data(), partial_room.size());
    if (partial_.size() == partial_need_) {
      buffers[1] = asio::mutable_buffer(scratch.data(), scratch.size());
    }
  }
  std::error_code error;
  const std::size_t count = socket_.read_some(buffers, error);
  if (error == asio::error::would_block || error == asio::error::try_again) return false;
  if (error) {
    close_now(error.message());
    return false;
  }
  if (partial_need_ == 0) {
    partial_have_ = 0;
    read.scratch = scratch.first(lead + count);
    return true;
  }
  const std::size_t into_partial = std::min(count, partial_room.size());
  partial_have_ += into_partial;
  read.partial_complete = partial_have_ == partial_need_;
  read.scratch = scratch.first(count - into_partial);
  return true;
}

// Memory follows what the peer really sends: room for what the socket has, and half as much again
// so that a large frame is not copied too often.
bool Connection::grow_partial() {
  std::error_code ignored;
  const std::size_t there = socket_.available(ignored);
  const std::size_t size = std::min(
      partial_need_, partial_have_ + std::max({there, partial_have_ / 2, kPartialStepBytes}));
  if (size > kPartialFreeBytes) {
    if (!PartialBudget::change(partial_share_, size)) {
      paused_ = true;
      auto timer =
          std::make_shared<asio::steady_timer>(thread_.context(), std::chrono::milliseconds(20));
      timer->async_wait(
          [self = shared_from_this(), timer](std::error_code) { self->resume_reading(); });
      return false;
    }
    if (partial_share_ == 0) partial_since_ = std::chrono::steady_clock::now();
    partial_share_ = size;
  }
  partial_.reserve(size);
  partial_.resize(size);
  return true;
}

bool Connection::keep_partial(ByteView rest) {
  const Result<std::optional<std::size_t>> need = protocol::frame_size(rest);
  if (!need) return false;
  partial_need_ = need->value_or(0);
  partial_have_ = rest.size();
  if (rest.size() > kPartialFreeBytes) {
    // Already read, so it is kept even above the budget; that is at most one scratch per thread,
    // because from now on turns are small.
    if (!PartialBudget::change(0, rest.size())) PartialBudget::force(rest.size());
    partial_share_ = rest.size();
    partial_since_ = std::chrono::steady_clock::now();
  }
  partial_.assign(rest.begin(), rest.end());
  return true;
}

Bytes Connection::take_partial() {
  if (partial_share_ > 0) PartialBudget::change(partial_share_, 0);
  partial_share_ = 0;
  partial_have_ = 0;
  partial_need_ = 0;
  return std::exchange(partial_, Bytes());
}

bool Connection::serve_frames(ReadTurn& turn, Read& read) {
  if (read.partial_complete) {
    read.completed = take_partial();
    if (!serve_frame(turn, MutableByteView(read.completed))) return false;
  } else if (partial_need_ != 0) {
    return true;
  }
  MutableByteView rest = read.scratch;
  while (!rest.empty()) {
    const Result<std::optional<std::size_t>> size = protocol::frame_size(rest);
    if (!size) return false;
    if (!size->has_value() || **size > rest.size()) return keep_partial(rest);
    if (!serve_frame(turn, rest.first(**size))) return false;
    rest = rest.subspan(**size);
  }
  return true;
}

bool Connection::serve_frame(ReadTurn& turn, MutableByteView frame) {
  // One per thread: its field list keeps its capacity from frame to frame.
  thread_local protocol::CommandView command;
  if (const Result<> parsed = protocol::parse_frame(frame, command); !parsed) {
    log::debug("net", "malformed frame", kv("peer", peer_.text()),
               kv("why", parsed.error().message()));
    return false;
  }
  if (command.is_response()) {
    if (!complete_call(command) && service_ != nullptr) service_->on_response(turn, command);
    return true;
  }
  if (service_ == nullptr) {
    Response refusal;
    refusal.code = 3;
    refusal.remark = " request type " + std::to_string(command.code) + " not supported";
    write_response(outbox_, Asked(command), std::move(refusal));
    return true;
  }
  served_request_ = true;
  service_->on_request(turn, command);
  return true;
}

bool Connection::complete_call(const protocol::CommandView& response) {
  const auto found = calls_.find(response.opaque);
  if (found == calls_.end()) return false;  // answered after its deadline, or no call at all
  found->second->result = protocol::Command(response);
  found->second->done.set();
  calls_.erase(found);
  return true;
}

void Connection::flush() {
  if (in_turn_ || waiting_write_ || closed()) return;
  while (!outbox_.empty()) {
    std::error_code error;
    const std::size_t count = socket_.write_some(outbox_.front(), error);
    if (error == asio::error::would_block || error == asio::error::try_again)
      return wait_writable();
    if (error) return close_now(error.message());
    outbox_.sent(count);
    last_active_ = std::chrono::steady_clock::now();
  }
  if (draining_ && pending_ == 0) return close_now("drained");
  resume_reading();
}

void Connection::wait_writable() {
  waiting_write_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](std::error_code error) {
    self->waiting_write_ = false;
    if (self->closed()) return;
    if (error) return self->close_now(error.message());
    self->flush();
  });
}

void Connection::sweep(SteadyTime now) {
  if (now - last_active_ > kIdleMax) return close_now("idle");
  if (partial_share_ > 0 && PartialBudget::exhausted() && now - partial_since_ > kPartialPatience) {
    log::warn("net", "peer dropped: its frame stays incomplete while memory for frames is short",
              kv("peer", peer_.text()), kv("bytes", partial_have_));
    close_now("slow frame");
  }
}

void Connection::close_now(std::string_view why) {
  if (closed_.exchange(true, std::memory_order_acq_rel)) return;
  log::debug("net", "connection closed", kv("peer", peer_.text()), kv("why", why));
  const auto self = shared_from_this();
  std::error_code ignored;
  socket_.close(ignored);
  thread_.connections_.remove(id_);
  (void)take_partial();
  outbox_.clear();
  for (auto& [opaque, call] : calls_) {
    call->done.set();
  }
  calls_.clear();
  if (service_ != nullptr) service_->on_closed(*this);
  gone_.store(true, std::memory_order_release);
}

Responder::Responder(std::shared_ptr<Connection> connection, const protocol::CommandView& request)
    : connection_(std::move(connection)), asked_(request) {}

void Responder::answer(Response response) const {
  if (asked_.oneway) return;
  connection_->post([asked = asked_, response = std::move(response)](Connection& connection) {
    write_response(connection.out(), asked, response);
  });
}

}  // namespace rmq::net
