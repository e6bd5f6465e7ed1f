// Service: what a listening port or an outgoing connection does with the requests that arrive on
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "protocol/command.h"

namespace rmq::net {

class Connection;
class IoThread;

// One read turn of a connection: all complete frames that the socket had.
struct ReadTurn {
  Connection& connection;
  IoThread& thread;
  SteadyTime arrived;
};

// A response that was not worth a path of its own. `fields` are the ext fields.
struct Response {
  std::int32_t code = 0;
  std::string remark;
  std::vector<std::pair<std::string, std::string>> fields;
  Bytes body;
};

// Threads: called on the connection's data thread only; different connections call at the same
// time.
class Service {
 public:
  virtual ~Service() = default;
  // For each request frame of a turn, in order. `command` is gone when this returns, the frame that
  // it views when the turn has ended.
  virtual void on_request(ReadTurn& turn, const protocol::CommandView& command) = 0;
  // For each answer that no Connection::call() waits for: its request was written to out() by the
  // owner of the connection. Otherwise as on_request().
  virtual void on_response(ReadTurn& turn, const protocol::CommandView& response) {
    (void)turn;
    (void)response;
  }
  // Once at the end of each turn that had a request; what was written to the connection is flushed
  // after it.
  virtual void on_turn_end(ReadTurn& turn) = 0;
  // Once, when the connection is gone.
  virtual void on_closed(Connection& connection) = 0;
};

// What an answer needs of its request.
struct Asked {
  std::int32_t opaque = 0;
  protocol::SerializeType type = protocol::SerializeType::Json;
  bool oneway = false;

  explicit Asked(const protocol::CommandView& request)
      : opaque(request.opaque), type(request.type), oneway(request.is_oneway()) {}
};

// Answers one request, once, from any thread, now or later. Does nothing for a one-way request or a
// dead connection.
class Responder {
 public:
  Responder(std::shared_ptr<Connection> connection, const protocol::CommandView& request);
  void answer(Response response) const;
  const std::shared_ptr<Connection>& connection() const { return connection_; }

 private:
  std::shared_ptr<Connection> connection_;
  Asked asked_;
};

}  // namespace rmq::net
