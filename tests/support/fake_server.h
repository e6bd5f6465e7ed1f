// FakeServer: a listening port on 127.0.0.1 that answers requests as a test says.
// Lifetime: stop the io threads before this object goes.
// Threads: `answer` runs on a data thread, one request at a time; a test changes what it reads
// before the request.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "net/connection.h"
#include "net/io_threads.h"
#include "net/response_frame.h"
#include "net/rpc_server.h"
#include "protocol/header_fields.h"
#include "protocol/request_codes.h"

namespace rmq::test {

class FakeServer final : public net::Service {
 public:
  // Nothing: the request is never answered.
  using Answer = std::function<std::optional<net::Response>(const protocol::CommandView&)>;

  FakeServer(net::IoThreads& threads, Answer answer)
      : answer_(std::move(answer)), server_(threads, *this) {
    REQUIRE(server_.listen("127.0.0.1", 0).has_value());
    server_.start_accepting();
  }

  // Takes no more connections and closes those it has.
  void stop() {
    server_.stop_accepting();
    server_.close_connections(std::chrono::milliseconds(0));
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  // How many requests with this code came so far.
  int count(protocol::RequestCode code) {
    MutexLock lock(mutex_);
    return counts_[static_cast<std::int32_t>(code)];
  }

  // On which the last request came.
  std::shared_ptr<net::Connection> last_connection() {
    MutexLock lock(mutex_);
    return last_connection_;
  }

  void on_request(net::ReadTurn& turn, const protocol::CommandView& command) override {
    std::optional<net::Response> response;
    {
      MutexLock lock(mutex_);
      last_connection_ = turn.connection.shared_from_this();
      ++counts_[command.code];
      response = answer_(command);
    }
    if (response)
      net::write_response(turn.connection.out(), net::Asked(command), std::move(*response));
  }
  void on_turn_end(net::ReadTurn&) override {}
  void on_closed(net::Connection&) override {}

 private:
  Mutex mutex_;
  Answer answer_;
  std::map<std::int32_t, int> counts_ RMQ_GUARDED_BY(mutex_);
  std::shared_ptr<net::Connection> last_connection_ RMQ_GUARDED_BY(mutex_);
  net::RpcServer server_;
};

inline net::Response refuse(std::int32_t code, std::string remark) {
  net::Response response;
  response.code = code;
  response.remark = std::move(remark);
  return response;
}

template <class Header>
net::Response respond(const Header& header, std::int32_t code = 0) {
  net::Response response;
  response.code = code;
  protocol::append_fields(header, response.fields);
  return response;
}

inline net::Response respond_body(std::string_view body) {
  net::Response response;
  response.body.assign(as_bytes(body).begin(), as_bytes(body).end());
  return response;
}

}  // namespace rmq::test
