#include "etcd/http_client.h"

#include <doctest/doctest.h>

#include <ostream>

#include "etcd/etcd_errc.h"
#include "net/await.h"
#include "net/net_errc.h"
#include "tests/support/scripted_http_server.h"

namespace rmq::etcd {
namespace {

using namespace std::chrono_literals;
using net::NetErrc;
using test::ScriptedHttpServer;

struct Fixture {
  Fixture() { threads.start(); }
  ~Fixture() { threads.stop(); }

  Result<HttpAnswer> post(const std::string& address, const std::string& body,
                          std::chrono::milliseconds timeout = 60s) {
    std::function<net::Task<Result<HttpAnswer>>()> start = [&] {
      return http.post(address, "/v3/kv/range", body, timeout);
    };
    return net::run_blocking<Result<HttpAnswer>>(threads.control(), std::move(start));
  }

  net::IoThreads threads{1};
  HttpClient http{threads.control()};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "http: answers of every shape, over one connection") {
  ScriptedHttpServer server({
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nond\r\n0\r\n\r\n",
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast",
  });
  CHECK(post(server.address(), "{}")->body == "first");
  CHECK(post(server.address(), "{\"a\":1}")->body == "second");
  CHECK(post(server.address(), "")->status == 503);
  CHECK(server.connections() == 1);
  CHECK(post(server.address(), "")->body == "last");
  CHECK(server.requests()[1] == "POST /v3/kv/range HTTP/1.1\r\nHost: " + server.address() +
                                    "\r\nContent-Type: application/json\r\nContent-Length: 7\r\n"
                                    "\r\n{\"a\":1}");
}

TEST_CASE_FIXTURE(Fixture, "http: an answer that the end of its connection ends") {
  ScriptedHttpServer server(
      {"HTTP/1.0 200 OK\r\n\r\nall of it", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nless"});
  CHECK(post(server.address(), "")->body == "all of it");
  CHECK(post(server.address(), "").error().code == EtcdErrc::NotHttp);
}

TEST_CASE_FIXTURE(Fixture, "http: what is no HTTP, and connections that end early") {
  ScriptedHttpServer server({"SSH-2.0-OpenSSH\r\n",
                             "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "",
                             "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  CHECK(post(server.address(), "").error().code == EtcdErrc::NotHttp);
  CHECK(post(server.address(), "", 300ms).error().code == NetErrc::TimedOut);
  CHECK(post(server.address(), "").error().code == NetErrc::ConnectionClosed);
  CHECK(post(server.address(), "")->body == "ok");
  // A kept connection that the server has closed.
  CHECK(post(server.address(), "").error().code == NetErrc::ConnectionClosed);
  CHECK(server.requests().size() == 5);
}

TEST_CASE_FIXTURE(Fixture, "http: nobody there") {
  std::string address;
  {
    const ScriptedHttpServer server({});
    address = server.address();
  }
  CHECK(post(address, "").error().code == NetErrc::ConnectFailed);
  CHECK(post("no port", "").error().code == NetErrc::AddressMalformed);
}

}  // namespace rmq::etcd
