// Lines: the connections of a load, each with the stream of requests that goes over it.
// Stream is a net::Service with end(), drained(), closed(), messages() and take_result().
// Threads: the control thread of the client's io threads, but messages().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "load/load_result.h"
#include "net/await.h"
#include "net/connection.h"
#include "net/rpc_client.h"
#include "net/task.h"

namespace rmq::load {

template <class Stream>
struct Line {
  std::shared_ptr<Stream> stream;
  std::unique_ptr<net::RpcClient> rpc;  // one connection each, so one client each
  std::shared_ptr<net::Connection> connection;

  void end() {
    connection->post([stream = stream](net::Connection&) { stream->end(); });
  }
};

template <class Stream>
class Lines {
 public:
  explicit Lines(client::Client& client) : client_(client) {}

  // Errors: NetErrc.
  net::Task<Result<>> open(std::string address, std::shared_ptr<Stream> stream,
                           std::chrono::milliseconds timeout) {
    Line<Stream> line;
    line.stream = std::move(stream);
    line.rpc = std::make_unique<net::RpcClient>(client_.threads(), line.stream.get());
    auto connection = co_await line.rpc->connection(address, timeout);
    if (!connection) co_return fail(connection.error());
    line.connection = std::move(*connection);
    lines_.push_back(std::move(line));
    co_return Result<>{};
  }

  std::vector<Line<Stream>>& all() { return lines_; }
  std::uint64_t messages() const {
    std::uint64_t sum = 0;
    for (const Line<Stream>& line : lines_) sum += line.stream->messages();
    return sum;
  }

  // Ends every stream, waits at most `timeout` for what is on its way, and closes.
  net::Task<LoadResult> finish(std::chrono::milliseconds timeout) {
    for (Line<Stream>& line : lines_) line.end();
    const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
    for (Line<Stream>& line : lines_) (void)co_await line.stream->drained().wait_until(deadline);
    co_await close();
    LoadResult result;
    for (Line<Stream>& line : lines_) result.merge(line.stream->take_result());
    co_return result;
  }

  // Returns when no stream is called any more: they may go.
  net::Task<> close() {
    for (Line<Stream>& line : lines_) line.connection->close();
    for (Line<Stream>& line : lines_) {
      (void)co_await line.stream->closed().wait_until(SteadyTime::max());
    }
  }

 private:
  client::Client& client_;
  std::vector<Line<Stream>> lines_;
};

}  // namespace rmq::load
