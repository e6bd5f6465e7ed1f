#include "client/name_servers.h"

#include <doctest/doctest.h>

#include <ostream>

#include "client/client_errc.h"
#include "net/await.h"
#include "protocol/response_codes.h"
#include "protocol/topic.h"
#include "tests/support/fake_server.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using test::FakeServer;

namespace {

using Answered = Result<protocol::Command>;

FakeServer::Answer saying(std::string_view text) {
  return [text](const protocol::CommandView&) { return std::optional(test::respond_body(text)); };
}

Answered ask(net::IoThreads& threads, NameServers& servers, std::chrono::milliseconds timeout) {
  std::function<net::Task<Answered>()> start = [&]() -> net::Task<Answered> {
    const protocol::GetAllTopicListFromNameserverRequest header;
    protocol::Command request = make_request(RequestCode::GetAllTopicListFromNameserver, header);
    co_return co_await servers.ask(std::move(request), timeout);
  };
  return net::run_blocking<Answered>(threads.control(), start);
}

}  // namespace

TEST_CASE("name server lists as Java writes them") {
  using List = std::vector<std::string>;
  CHECK(parse_name_servers("a:1") == List{"a:1"});
  CHECK(parse_name_servers(" a:1 ; b:2;; [::1]:3;") == List{"a:1", "b:2", "[::1]:3"});
  CHECK(parse_name_servers("host;[::1]") == List{"host:9876", "[::1]:9876"});
  for (const char* nothing : {"", " ; "}) {
    const auto list = parse_name_servers(nothing);
    REQUIRE_FALSE(list.has_value());
    CHECK(list.error().code == ClientErrc::NoNameServer);
  }
  for (const char* bad : {"a:", "a:x", "a:70000", ":1"}) {
    CAPTURE(bad);
    const auto list = parse_name_servers(bad);
    REQUIRE_FALSE(list.has_value());
    CHECK(list.error().code == net::NetErrc::AddressMalformed);
  }
}

TEST_CASE("server lists with another default port, and an empty one") {
  using List = std::vector<std::string>;
  CHECK(parse_server_addresses("a;[::1];b:2", 9878) == List{"a:9878", "[::1]:9878", "b:2"});
  CHECK(parse_server_addresses(" ; ", 9878) == List{});
}

TEST_CASE("a name server that is down is passed over, and not asked first the next time") {
  net::IoThreads threads(1);
  FakeServer silent(
      threads, [](const protocol::CommandView&) -> std::optional<net::Response> { return {}; });
  FakeServer answers(threads, saying("one"));
  threads.start();
  {
    net::RpcClient rpc(threads);
    NameServers servers(rpc, {"127.0.0.1:1", silent.address(), answers.address()});
    const Answered first = ask(threads, servers, 600ms);
    REQUIRE(first.has_value());
    CHECK(as_text(first->body) == "one");
    CHECK(ask(threads, servers, 10s).has_value());
    CHECK(silent.count(RequestCode::GetAllTopicListFromNameserver) == 1);
    CHECK(answers.count(RequestCode::GetAllTopicListFromNameserver) == 2);
  }
  threads.stop();
}

TEST_CASE("no name server at all: the error tells each address") {
  net::IoThreads threads(1);
  threads.start();
  {
    net::RpcClient rpc(threads);
    NameServers servers(rpc, {"127.0.0.1:1", "127.0.0.1:2"});
    const Answered answer = ask(threads, servers, 5s);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == net::NetErrc::ConnectFailed);
    CHECK(answer.error().detail.find("127.0.0.1:1") != std::string::npos);
    CHECK(answer.error().detail.find("127.0.0.1:2") != std::string::npos);
  }
  threads.stop();
}

TEST_CASE("a refusal is an answer: no other name server is asked") {
  net::IoThreads threads(1);
  FakeServer refuses(threads, [](const protocol::CommandView&) {
    return std::optional(test::refuse(17, "no such topic"));
  });
  FakeServer other(threads, saying("other"));
  threads.start();
  {
    net::RpcClient rpc(threads);
    NameServers servers(rpc, {refuses.address(), other.address()});
    const Answered answer = ask(threads, servers, 5s);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == protocol::ResponseCode::TopicNotExist);
    CHECK(answer.error().detail == refuses.address() + ": no such topic");
    CHECK(other.count(RequestCode::GetAllTopicListFromNameserver) == 0);
  }
  threads.stop();
}
