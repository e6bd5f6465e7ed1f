// ServedRequest: one row of a role's request table: code, lane, name and handler.
// serve<&on_x>(code, lane) makes a row from a handler of any of these shapes; Request is a struct
// with header fields (protocol/header_fields.h):
//
//   Result<Response> on_x(Context&, const Request&)                  answers at once
//   Result<Response> on_x(Context&, const Caller&, const Request&)   likewise; Caller has
//   connection, command, body Task<Result<Response>> on_x(Context&, Caller, Request)           may
//   wait; Caller owns what Request views void on_x(Context&, net::ReadTurn&, const CommandView&)
//   decodes and answers itself, now or later
//
// Lane::Control runs on the control thread, Lane::Disk on the context's pool for what may wait for
// the disk, the others on the connection's own data thread. The first two shapes may be Disk, the
// last must not be Control. Context has a public member `threads` (net::IoThreads&), and `disk`
// (BlockingPool) when it has requests of Lane::Disk. An Error becomes a response by
// error_mapping.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/blocking_pool.h"
#include "net/connection.h"
#include "net/io_threads.h"
#include "net/response_frame.h"
#include "net/service.h"
#include "net/task.h"
#include "protocol/header_fields.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "roles/error_mapping.h"

namespace rmq::roles {

using net::Response;
using protocol::RequestCode;

// Control: name server, registration, heartbeats, administration. Disk: what may read cold pages.
// The others run where they arrive; their names are admission budgets and metric labels.
enum class Lane { Control, Append, Pull, Query, Disk };

// Who asks, and with what. Copies share the command; views into it (body, and the string_views of a
// decoded request) are valid as long as one of them lives.
struct Caller {
  std::shared_ptr<net::Connection> connection;
  std::shared_ptr<const protocol::Command> command;

  ByteView body() const { return command->body; }
};

inline Response respond() { return {}; }
// Success with header fields.
template <class Fields>
Response respond(const Fields& fields) {
  Response response;
  protocol::append_fields(fields, response.fields);
  return response;
}
inline Response respond_body(std::string_view body) {
  Response response;
  response.body.assign(as_bytes(body).begin(), as_bytes(body).end());
  return response;
}

template <class Context>
struct ServedRequest {
  RequestCode code;
  Lane lane;
  void (*serve)(Context&, net::ReadTurn&, const protocol::CommandView&);
};

// A request without header fields.
struct NoRequestFields {
  template <class Self, class F>
  static void fields(Self&, F&&) {}
};

namespace detail {

using Work = std::function<void(Caller, std::function<void(Response)>)>;

// A request that is served on another thread: an owned copy, counted as pending until it is
// answered.
struct Elsewhere {
  Caller caller;
  std::function<void(Response)> answer;
};
inline Elsewhere serve_elsewhere(net::ReadTurn& turn, const protocol::CommandView& view) {
  turn.connection.add_pending(1);
  auto connection = turn.connection.shared_from_this();
  auto command = std::make_shared<const protocol::Command>(view);
  std::function<void(Response)> answer = [connection, asked = net::Asked(view)](Response response) {
    connection->post([asked, response = std::move(response)](net::Connection& to) {
      net::write_response(to.out(), asked, response);
      to.remove_pending(1);
    });
  };
  Caller caller{std::move(connection), std::move(command)};
  return {std::move(caller), std::move(answer)};
}

template <class Context>
void on_control(Context& context, net::ReadTurn& turn, const protocol::CommandView& view,
                Work work) {
  context.threads.control().post([request = serve_elsewhere(turn, view), work = std::move(work)] {
    work(request.caller, request.answer);
  });
}

template <class Context>
void on_disk(Context& context, net::ReadTurn& turn, const protocol::CommandView& view, Work work) {
  const Elsewhere request = serve_elsewhere(turn, view);
  const bool taken = context.disk.submit(
      [request, work = std::move(work)] { work(request.caller, request.answer); });
  if (taken) return;
  Response busy;
  busy.code = static_cast<std::int32_t>(protocol::ResponseCode::SystemBusy);
  busy.remark = kDiskBusy;
  request.answer(std::move(busy));
}

inline Response response_of(Result<Response> result) {
  return result ? std::move(*result) : to_response(result.error());
}

template <auto handler, class Signature = decltype(handler)>
struct Shape;

template <auto handler, class Context, class Request>
struct Shape<handler, Result<Response> (*)(Context&, const Caller&, const Request&)> {
  using ContextType = Context;
  static Response run(Context& context, const Caller& caller) {
    Result<Request> request = protocol::decode_fields<Request>(caller.command->view());
    if (!request) return to_response(request.error());
    return response_of(handler(context, caller, *request));
  }
  static void control(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    on_control(context, turn, view,
               [&context](Caller caller, const std::function<void(Response)>& answer) {
                 answer(run(context, caller));
               });
  }
  static void disk(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    on_disk(context, turn, view,
            [&context](Caller caller, const std::function<void(Response)>& answer) {
              answer(run(context, caller));
            });
  }
  static void data(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    const Caller caller{turn.connection.shared_from_this(),
                        std::make_shared<const protocol::Command>(view)};
    net::write_response(turn.connection.out(), net::Asked(view), run(context, caller));
  }
};

template <auto handler, class Context, class Request>
struct Shape<handler, Result<Response> (*)(Context&, const Request&)> {
  using ContextType = Context;
  static Response run(Context& context, const protocol::CommandView& view) {
    Result<Request> request = protocol::decode_fields<Request>(view);
    if (!request) return to_response(request.error());
    return response_of(handler(context, *request));
  }
  static void control(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    on_control(context, turn, view,
               [&context](Caller caller, const std::function<void(Response)>& answer) {
                 answer(run(context, caller.command->view()));
               });
  }
  static void disk(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    on_disk(context, turn, view,
            [&context](Caller caller, const std::function<void(Response)>& answer) {
              answer(run(context, caller.command->view()));
            });
  }
  static void data(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    net::write_response(turn.connection.out(), net::Asked(view), run(context, view));
  }
};

template <auto handler, class Context, class Request>
struct Shape<handler, net::Task<Result<Response>> (*)(Context&, Caller, Request)> {
  using ContextType = Context;
  static net::Task<> run(Context& context, Caller caller, std::function<void(Response)> answer) {
    Result<Request> request = protocol::decode_fields<Request>(caller.command->view());
    if (!request) {
      answer(to_response(request.error()));
      co_return;
    }
    Result<Response> result = co_await handler(context, caller, *request);
    answer(response_of(std::move(result)));
  }
  static void control(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    on_control(context, turn, view,
               [&context](Caller caller, std::function<void(Response)> answer) {
                 std::function<net::Task<>()> start = [&context, caller, answer] {
                   return run(context, caller, answer);
                 };
                 net::spawn(context.threads.control(), "request", std::move(start));
               });
  }
  static void data(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    Caller caller{turn.connection.shared_from_this(),
                  std::make_shared<const protocol::Command>(view)};
    const net::Responder responder(caller.connection, view);
    std::function<void(Response)> answer = [responder](Response response) {
      responder.answer(std::move(response));
    };
    std::function<net::Task<>()> start = [&context, caller, answer] {
      return run(context, caller, answer);
    };
    net::spawn(turn.thread, "request", std::move(start));
  }
};

template <auto handler, class Context>
struct Shape<handler, void (*)(Context&, net::ReadTurn&, const protocol::CommandView&)> {
  using ContextType = Context;
  static void data(Context& context, net::ReadTurn& turn, const protocol::CommandView& view) {
    handler(context, turn, view);
  }
};

}  // namespace detail

template <auto handler>
constexpr auto serve(RequestCode code, Lane lane) {
  using Shape = detail::Shape<handler>;
  using Row = ServedRequest<typename Shape::ContextType>;
  if constexpr (requires(typename Shape::ContextType & context) {
                  context.disk;
                  &Shape::disk;
                }) {
    if (lane == Lane::Disk) return Row{code, lane, &Shape::disk};
  }
  if constexpr (requires { &Shape::control; }) {
    return Row{code, lane, lane == Lane::Control ? &Shape::control : &Shape::data};
  } else {
    return Row{code, lane, &Shape::data};
  }
}

template <class Table>
constexpr bool sorted_and_unique(const Table& table) {
  return std::adjacent_find(table.begin(), table.end(), [](const auto& a, const auto& b) {
           return a.code >= b.code;
         }) == table.end();
}

// Serves a table of requests, sorted by code; what is not in it is answered with code 3 at once.
template <class Context>
class RequestService : public net::Service {
 public:
  RequestService(Context& context, std::span<const ServedRequest<Context>> table)
      : context_(context), table_(table) {}

  void on_request(net::ReadTurn& turn, const protocol::CommandView& command) override {
    const auto code = static_cast<RequestCode>(command.code);
    const auto row = std::lower_bound(table_.begin(), table_.end(), code,
                                      [](const auto& r, RequestCode c) { return r.code < c; });
    if (row != table_.end() && row->code == code) return row->serve(context_, turn, command);
    Response refusal;
    refusal.code = static_cast<std::int32_t>(protocol::ResponseCode::RequestCodeNotSupported);
    refusal.remark = " request type " + std::to_string(command.code) + " not supported";
    net::write_response(turn.connection.out(), net::Asked(command), std::move(refusal));
  }
  void on_turn_end(net::ReadTurn&) override {}
  void on_closed(net::Connection&) override {}

 protected:
  Context& context_;

 private:
  const std::span<const ServedRequest<Context>> table_;
};

}  // namespace rmq::roles
