#include "client/route_cache.h"

#include <doctest/doctest.h>

#include <ostream>

#include "tests/support/fake_cluster.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using test::FakeCluster;

namespace {

Result<SharedRoute> get(FakeCluster& cluster) {
  return cluster.run<Result<SharedRoute>>([&] { return cluster.client().routes().get("T", 5s); });
}

int asked(FakeCluster& cluster) {
  return cluster.name_server->count(RequestCode::GetRouteinfoByTopic);
}

}  // namespace

TEST_CASE("a route is asked for once in 30 seconds, and at once after expire()") {
  FakeCluster cluster;
  cluster.add_route("a", "T", 2, "127.0.0.1:1");
  REQUIRE(get(cluster).has_value());
  cluster.clock.advance(30s);
  CHECK((*get(cluster))->writable().size() == 2);
  CHECK(asked(cluster) == 1);
  cluster.clock.advance(1ms);
  REQUIRE(get(cluster).has_value());
  CHECK(asked(cluster) == 2);

  cluster.client().routes().expire("T");
  cluster.client().routes().expire("unknown");
  REQUIRE(get(cluster).has_value());
  CHECK(asked(cluster) == 3);
  REQUIRE(get(cluster).has_value());
  CHECK(asked(cluster) == 3);
}

TEST_CASE("an old route is kept while no name server answers or knows the topic") {
  FakeCluster cluster;
  cluster.add_route("a", "T", 2, "127.0.0.1:1");
  REQUIRE(get(cluster).has_value());
  const auto routes = cluster.routes;

  cluster.routes.clear();
  cluster.clock.advance(31s);
  CHECK((*get(cluster))->writable().size() == 2);
  CHECK(asked(cluster) == 2);

  // It is still asked for every time, so that a new one is seen at once.
  cluster.routes = routes;
  cluster.add_route("b", "T", 3, "127.0.0.1:1");
  CHECK((*get(cluster))->writable().size() == 5);

  cluster.name_server->stop();
  cluster.clock.advance(31s);
  CHECK((*get(cluster))->writable().size() == 5);
}

TEST_CASE("a topic that nobody knows is asked for each time") {
  FakeCluster cluster;
  CHECK_FALSE(get(cluster).has_value());
  CHECK_FALSE(get(cluster).has_value());
  CHECK(asked(cluster) == 2);
}
