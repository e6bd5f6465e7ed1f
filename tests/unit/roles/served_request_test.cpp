#include "roles/served_request.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "net/await.h"
#include "net/rpc_client.h"
#include "net/rpc_server.h"
#include "protocol/response_codes.h"

namespace rmq::roles {
namespace {

using namespace std::chrono_literals;
using protocol::Command;
using protocol::ResponseCode;

struct Context {
  net::IoThreads& threads;
};

struct NameRequest {
  std::string_view name;
  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("name", self.name, protocol::kRequired);
  }
};

bool on_thread(const net::IoThread& thread) { return thread.is_current(); }

Result<Response> on_plain(Context& context, const NameRequest& request) {
  if (request.name == "bad") return fail(ResponseCode::TopicNotExist, "no such name");
  return respond_body(std::string(request.name) +
                      (on_thread(context.threads.control()) ? "@control" : "@data"));
}

Result<Response> on_caller(Context&, const Caller& caller, const NameRequest& request) {
  return respond_body(std::string(request.name) + ":" + std::string(as_text(caller.body())));
}

net::Task<Result<Response>> on_waiting(Context& context, Caller caller, NameRequest request) {
  co_await net::sleep_for(1ms);
  co_return respond_body(std::string(request.name) + std::string(as_text(caller.body())) +
                         (on_thread(context.threads.control()) ? "@control" : "@data"));
}

void on_own(Context&, net::ReadTurn& turn, const protocol::CommandView& command) {
  net::write_response(turn.connection.out(), net::Asked(command), respond_body("own"));
}

constexpr std::array kTable{
    serve<&on_plain>(RequestCode{1}, Lane::Query),
    serve<&on_plain>(RequestCode{2}, Lane::Control),
    serve<&on_caller>(RequestCode{3}, Lane::Control),
    serve<&on_caller>(RequestCode{4}, Lane::Query),
    serve<&on_waiting>(RequestCode{5}, Lane::Control),
    serve<&on_waiting>(RequestCode{6}, Lane::Query),
    serve<&on_own>(RequestCode{7}, Lane::Append),
};
static_assert(sorted_and_unique(kTable));

struct Fixture {
  Fixture() {
    threads.start();
    REQUIRE(server.listen("127.0.0.1", 0));
    server.start_accepting();
  }
  ~Fixture() {
    client.reset();
    server.stop_accepting();
    server.close_connections(20s);
    threads.stop();
  }
  Command call(std::int32_t code, std::vector<std::pair<std::string, std::string>> fields,
               std::string_view body = {}) {
    Command request;
    request.code = code;
    request.fields = std::move(fields);
    request.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    const std::string address = "127.0.0.1:" + std::to_string(server.port());
    std::function<net::Task<Result<Command>>()> start = [this, address, request] {
      return client->call(address, request, 5s);
    };
    Result<Command> answer = net::run_blocking<Result<Command>>(threads.control(), start);
    REQUIRE(answer);
    return *answer;
  }
  std::string body(const Command& command) { return std::string(as_text(command.body)); }

  net::IoThreads threads{1};
  Context context{threads};
  RequestService<Context> service{context, std::span<const ServedRequest<Context>>(kTable)};
  net::RpcServer server{threads, service};
  std::unique_ptr<net::RpcClient> client = std::make_unique<net::RpcClient>(threads);
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "served request: every shape runs on its lane's thread") {
  CHECK(body(call(1, {{"name", "n"}})) == "n@data");
  CHECK(body(call(2, {{"name", "n"}})) == "n@control");
  CHECK(body(call(3, {{"name", "n"}}, "B")) == "n:B");
  CHECK(body(call(4, {{"name", "n"}}, "B")) == "n:B");
  CHECK(body(call(5, {{"name", "n"}}, "B")) == "nB@control");
  CHECK(body(call(6, {{"name", "n"}}, "B")) == "nB@data");
  CHECK(body(call(7, {})) == "own");
}

TEST_CASE_FIXTURE(Fixture, "served request: errors become codes and remarks") {
  const Command refused = call(1, {{"name", "bad"}});
  CHECK(refused.code == 17);
  CHECK(refused.remark == "no such name");
  const Command missing = call(5, {});
  CHECK(missing.code == 29);
  CHECK(missing.remark.find("name") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "served request: an unknown code is answered with 3 at once") {
  const Command unknown = call(4711, {});
  CHECK(unknown.code == 3);
  CHECK(unknown.remark == " request type 4711 not supported");
}

}  // namespace rmq::roles
