// The client against a real etcd, and against answers that a real one gives at bad moments.
#include "etcd/etcd_client.h"

#include <doctest/doctest.h>

#include <ostream>
#include <thread>

#include "base/base64.h"
#include "etcd/etcd_errc.h"
#include "net/await.h"
#include "net/net_errc.h"
#include "tests/support/etcd_process.h"
#include "tests/support/scripted_http_server.h"

namespace rmq::etcd {
namespace {

using namespace std::chrono_literals;
using test::EtcdProcess;
using test::ScriptedHttpServer;

class Client {
 public:
  explicit Client(std::vector<std::string> endpoints)
      : client_(threads_.control(), std::move(endpoints), 10s) {
    threads_.start();
  }
  ~Client() { threads_.stop(); }

  Result<std::optional<Record>> get(const std::string& key) {
    return run<std::optional<Record>>([&] { return client_.get(key); });
  }
  Result<std::vector<Record>> list(const std::string& prefix) {
    return run<std::vector<Record>>([&] { return client_.list(prefix); });
  }
  Result<bool> put_if(const std::string& key, std::uint64_t version, const std::string& value) {
    return run<bool>([&] { return client_.put_if(key, version, value); });
  }
  Result<bool> remove_if(const std::string& key, std::uint64_t version) {
    return run<bool>([&] { return client_.remove_if(key, version); });
  }
  // Until it answers; the test's time limit is the only other end.
  void await_answer() {
    while (!list("/")) std::this_thread::yield();
  }

 private:
  template <class T>
  Result<T> run(std::function<net::Task<Result<T>>()> start) {
    return net::run_blocking<Result<T>>(threads_.control(), std::move(start));
  }

  net::IoThreads threads_{1};
  EtcdClient client_;
};

std::string http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// What a transaction says that was not carried out, because there is this.
std::string instead(const std::string& value, int version) {
  return http(200, R"({"responses":[{"response_range":{"kvs":[{"key":"aw==","version":")" +
                       std::to_string(version) + R"(","value":")" + to_base64(as_bytes(value)) +
                       R"("}]}}]})");
}
std::string nothing_instead() {
  return http(200, R"({"header":{"revision":"7"},"responses":[{"response_range":{}}]})");
}
std::string done() { return http(200, R"({"succeeded":true})"); }
std::string no_leader() {
  return http(503, R"({"error":"no leader","code":14,"message":"no leader"})");
}

}  // namespace

TEST_CASE("etcd: records, their versions, and who is faster") {
  EtcdProcess etcd;
  Client client({etcd.endpoint()});
  client.await_answer();
  CHECK_FALSE(client.get("/k").value());
  CHECK(client.put_if("/k", 1, "nothing is there") == false);
  CHECK(client.put_if("/k", 0, "one") == true);
  CHECK(client.put_if("/k", 0, "one") == false);
  CHECK(client.put_if("/k", 1, std::string("\0 two\xff", 6)) == true);
  CHECK(client.get("/k").value() == Record{"/k", std::string("\0 two\xff", 6), 2});
  CHECK(client.put_if("/k/b", 0, "") == true);
  CHECK(client.put_if("/k/a", 0, "a") == true);
  CHECK(client.put_if("/k0", 0, "beside") == true);
  CHECK(client.list("/k/") == std::vector<Record>{{"/k/a", "a", 1}, {"/k/b", "", 1}});
  CHECK(client.list("/none/") == std::vector<Record>{});
  CHECK(client.remove_if("/k", 1) == false);
  CHECK(client.remove_if("/k", 2) == true);
  CHECK(client.remove_if("/k", 2) == false);
  CHECK_FALSE(client.get("/k").value());
  // A key that is made again begins again.
  CHECK(client.put_if("/k", 0, "new") == true);
  etcd.kill();
  CHECK(client.get("/k").error().code == net::NetErrc::ConnectFailed);
  etcd.start();
  client.await_answer();
  CHECK(client.get("/k").value() == Record{"/k", "new", 1});
}

TEST_CASE("etcd: another endpoint is asked when one does not answer, and then asked first") {
  ScriptedHttpServer closing({});
  ScriptedHttpServer leaderless({no_leader()});
  ScriptedHttpServer good({http(200, "{}"), http(200, "{}")});
  Client client({closing.address(), leaderless.address(), good.address()});
  CHECK_FALSE(client.get("k").value());
  CHECK_FALSE(client.get("k").value());
  CHECK(closing.requests().size() == 1);
  CHECK(leaderless.requests().size() == 1);
  CHECK(good.requests().size() == 2);
}

TEST_CASE("etcd: a change that was carried out, but not answered, is ours") {
  ScriptedHttpServer put({"", instead("mine", 5)});
  CHECK(Client({put.address()}).put_if("k", 4, "mine") == true);
  ScriptedHttpServer removed({"", nothing_instead()});
  CHECK(Client({removed.address()}).remove_if("k", 4) == true);
}

TEST_CASE("etcd: a change that somebody else made is not") {
  ScriptedHttpServer same({instead("mine", 5)});
  CHECK(Client({same.address()}).put_if("k", 4, "mine") == false);
  ScriptedHttpServer other({"", instead("theirs", 5)});
  CHECK(Client({other.address()}).put_if("k", 4, "mine") == false);
  ScriptedHttpServer later({"", instead("mine", 6)});
  CHECK(Client({later.address()}).put_if("k", 4, "mine") == false);
  ScriptedHttpServer gone({nothing_instead()});
  CHECK(Client({gone.address()}).remove_if("k", 4) == false);
  ScriptedHttpServer retried({"", done()});
  CHECK(Client({retried.address()}).put_if("k", 4, "mine") == true);
}

TEST_CASE("etcd: what it refuses is not tried again, and its reason is told") {
  ScriptedHttpServer server({http(400, R"({"error":"etcdserver: user name is empty","code":3})")});
  const auto refused = Client({server.address()}).get("k");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EtcdErrc::Refused);
  CHECK(refused.error().detail.find("user name is empty") != std::string::npos);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("etcd: answers that are none") {
  for (const std::string body :
       {"no JSON", "[]", R"({"kvs":[{"key":"?","version":"1"}]})", R"({"kvs":[{"key":"aw=="}]})"}) {
    ScriptedHttpServer server({http(200, body), http(200, body)});
    const auto answer = Client({server.address()}).get("k");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == EtcdErrc::Malformed);
  }
}

TEST_CASE("etcd: endpoints") {
  CHECK(parse_endpoints("http://a:2379,b:1/;http://[::1]:2") ==
        std::vector<std::string>{"a:2379", "b:1", "[::1]:2"});
  CHECK(parse_endpoints("")->empty());
  CHECK(parse_endpoints("https://a:2379").error().detail.find("TLS") != std::string::npos);
  for (const char* wrong : {"a", "http://a", "http://a:b", "http://a:2379/path"}) {
    CHECK_MESSAGE(!parse_endpoints(wrong), wrong);
  }
}

}  // namespace rmq::etcd
