// RawStream: a peer that sends bytes and takes what comes, each when a test tells it to.
// Threads: the test's; its own io threads do the work.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "net/await.h"
#include "net/byte_stream.h"
#include "net/io_threads.h"
#include "net/resolver.h"

namespace rmq::test {

class RawStream {
 public:
  explicit RawStream(const std::string& address) {
    using Stream = std::shared_ptr<net::ByteStream>;
    threads_.start();
    std::function<net::Task<Result<Stream>>()> connect = [this, address] {
      using namespace std::chrono_literals;
      return net::ByteStream::connect(threads_.least_loaded(), resolver_, address, 10s, 20s);
    };
    const auto connected = net::run_blocking<Result<Stream>>(threads_.control(), connect);
    REQUIRE(connected);
    stream_ = *connected;
    stream_->start();
  }
  ~RawStream() {
    stream_->close();
    threads_.stop();
  }
  // When it returns the system has taken all of it.
  void send(Bytes bytes) {
    std::function<net::Task<Result<>>()> write = [this, bytes]() -> net::Task<Result<>> {
      const std::array<ByteView, 1> parts{ByteView(bytes)};
      Result<> written = co_await stream_->write(parts);
      co_return written;
    };
    REQUIRE(net::run_blocking<Result<>>(stream_->thread(), std::move(write)));
  }
  // An error when nothing comes for 20 s.
  Result<Bytes> receive(std::size_t count) {
    std::function<net::Task<Result<Bytes>>()> read = [this, count]() -> net::Task<Result<Bytes>> {
      Bytes bytes(count);
      RMQ_CO_CHECK(co_await stream_->read(bytes));
      co_return bytes;
    };
    return net::run_blocking<Result<Bytes>>(stream_->thread(), std::move(read));
  }
  // A remoting frame, with its length.
  Result<Bytes> receive_frame() {
    RMQ_TRY(Bytes frame, receive(4));
    RMQ_TRY(const Bytes rest, receive(load_big_endian<std::uint32_t>(frame.data())));
    frame.insert(frame.end(), rest.begin(), rest.end());
    return frame;
  }
  // Returns when the other end has closed the connection.
  void await_end() {
    while (receive(1)) {
    }
  }

 private:
  net::IoThreads threads_{1};
  net::Resolver resolver_;
  std::shared_ptr<net::ByteStream> stream_;
};

}  // namespace rmq::test
