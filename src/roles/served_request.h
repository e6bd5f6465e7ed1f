// ServedRequest: one row of a role's request table: code, lane, name and handler. serve<&on_x>(code, lane) makes a row
// from a handler of any of these shapes; Request is a struct with header fields (protocol/header_fields.h):
//
//   Result<Response> on_x(Context&, const Request&)                      answers at once
//   Result<Response> on_x(Context&, const Caller&, const Request&)       likewise; Caller has connection, version, body
//   Task<Result<Response>> on_x(Context&, Caller, Request)               may wait; Caller owns what Request views
//   void on_x(Context&, net::ReadTurn&, const CommandView&, const Request&)   writes its answer itself, now or later
//
// Lane::Control runs on the control thread, the others on the connection's own data thread. The last shape must not be
// Control. An Error becomes a response by error_mapping.h.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "net/connection.h"
#include "net/io_threads.h"
#include "net/service.h"
#include "protocol/request_codes.h"

namespace rmq::roles {

using net::Response;
using protocol::RequestCode;

enum class Lane { Control, Append, Pull, Query };

// Who asks, and with what. Copies share the command; views into it (body, and the string_views of a decoded request)
// are valid as long as one of them lives.
struct Caller {
  std::shared_ptr<net::Connection> connection;
  std::shared_ptr<const protocol::Command> command;  // an owned copy
  ByteView body() const { return command->body; }
};

}  // namespace rmq::roles
