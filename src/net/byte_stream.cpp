#include "net/byte_stream.h"

#include <array>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/asio_endpoint.h"
#include "net/connector.h"
#include "net/net_errc.h"

namespace rmq::net {

ByteStream::ByteStream(IoThread& thread, Connection::Socket socket,
                       std::chrono::milliseconds idle_max)
    : thread_(thread),
      socket_(std::move(socket)),
      idle_max_(idle_max),
      idle_(thread.context()),
      last_read_(std::chrono::steady_clock::now()) {
  std::error_code error;
  const auto peer = socket_.remote_endpoint(error);
  if (!error) peer_ = to_endpoint(peer);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
}

Task<Result<std::shared_ptr<ByteStream>>> ByteStream::connect(IoThread& thread, Resolver& resolver,
                                                              std::string address,
                                                              std::chrono::milliseconds timeout,
                                                              std::chrono::milliseconds idle_max) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const std::shared_ptr<Connecting> connected,
             co_await connect_socket(resolver, thread, address, deadline));
  co_return std::make_shared<ByteStream>(thread, std::move(connected->socket), idle_max);
}

void ByteStream::start() {
  thread_.post([self = shared_from_this()] {
    self->last_read_ = std::chrono::steady_clock::now();
    self->watch();
  });
}

void ByteStream::watch() {
  if (closed()) return;
  idle_.expires_at(last_read_ + idle_max_);
  idle_.async_wait([self = shared_from_this()](std::error_code cancelled) {
    if (cancelled || self->closed()) return;
    if (std::chrono::steady_clock::now() >= self->last_read_ + self->idle_max_) {
      return self->close_now("nothing came from the peer for " +
                             std::to_string(self->idle_max_.count()) + " ms");
    }
    self->watch();
  });
}

void ByteStream::close() {
  thread_.post([self = shared_from_this()] { self->close_now("closed by us"); });
}

void ByteStream::close_now(std::string why) {
  if (closed_.exchange(true, std::memory_order_acq_rel)) return;
  log::debug("net", "stream closed", kv("peer", peer_.text()), kv("why", why));
  why_ = std::move(why);
  std::error_code ignored;
  socket_.close(ignored);
  idle_.cancel();
}

Task<Result<std::size_t>> ByteStream::read_some(MutableByteView into) {
  const auto self = shared_from_this();
  if (closed()) co_return fail(NetErrc::ConnectionClosed, why_);
  const auto [error, count] =
      co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), use_result);
  if (error) {
    close_now(error.message());
    co_return fail(NetErrc::ConnectionClosed, why_);
  }
  last_read_ = std::chrono::steady_clock::now();
  co_return count;
}

Task<Result<>> ByteStream::read(MutableByteView into) {
  while (!into.empty()) {
    RMQ_CO_TRY(const std::size_t count, co_await read_some(into));
    into = into.subspan(count);
  }
  co_return Result<>{};
}

Task<Result<>> ByteStream::write(std::span<const ByteView> parts) {
  const auto self = shared_from_this();
  if (closed()) co_return fail(NetErrc::ConnectionClosed, why_);
  std::vector<asio::const_buffer> buffers;
  buffers.reserve(parts.size());
  for (const ByteView part : parts) buffers.emplace_back(part.data(), part.size());
  const auto [error, count] = co_await asio::async_write(socket_, buffers, use_result);
  if (error) {
    close_now(error.message());
    co_return fail(NetErrc::ConnectionClosed, why_);
  }
  co_return Result<>{};
}

}  // namespace rmq::net
