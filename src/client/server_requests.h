// ServerRequests: what servers ask of a client on the connections that it opened: of a consumer
// group, NOTIFY_CONSUMER_IDS_CHANGED (40), RESET_CONSUMER_CLIENT_OFFSET (220),
// GET_CONSUMER_STATUS_FROM_CLIENT (221), GET_CONSUMER_RUNNING_INFO (307), CONSUME_MESSAGE_DIRECTLY
// (309). Anything else is refused. Threads: serve() and forget() any; handlers run on the thread of
// the connection and must not wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/string_map.h"
#include "net/service.h"
#include "protocol/command.h"

namespace rmq::client {

class ServerRequests final : public net::Service {
 public:
  // Answers by the responder, now or later, or not at all when the request is one-way.
  using Handler = std::function<void(protocol::Command, net::Responder)>;

  void serve(const std::string& group, Handler handler);
  // A request that is being handled may still call the handler.
  void forget(const std::string& group);

  // Grows whenever a connection has closed: its server has forgotten who was on it.
  std::uint64_t connections_closed() const { return closed_.load(std::memory_order_acquire); }

  void on_request(net::ReadTurn& turn, const protocol::CommandView& command) override;
  void on_turn_end(net::ReadTurn&) override {}
  void on_closed(net::Connection&) override { closed_.fetch_add(1, std::memory_order_release); }

 private:
  Mutex mutex_;
  StringMap<std::shared_ptr<const Handler>> handlers_ RMQ_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> closed_{0};
};

}  // namespace rmq::client
