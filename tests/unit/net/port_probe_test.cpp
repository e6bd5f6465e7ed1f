#include "net/port_probe.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "net/await.h"
#include "net/io_threads.h"
#include "net/resolver.h"
#include "tests/support/fake_server.h"

namespace rmq::net {

TEST_CASE("port probe: refused is what nobody listens on, and nothing else") {
  IoThreads threads(1);
  threads.start();
  Resolver resolver;
  const auto refuses = [&](const std::string& address) {
    std::function<Task<bool>()> start = [&] {
      return port_refuses(resolver, threads.control(), address, std::chrono::seconds(5));
    };
    return run_blocking<bool>(threads.data(0), std::move(start));
  };
  auto server = std::make_unique<test::FakeServer>(
      threads, [](const protocol::CommandView&) { return std::nullopt; });
  const std::string address = server->address();
  CHECK_FALSE(refuses(address));
  CHECK_FALSE(refuses(address));
  server->stop();
  CHECK(refuses(address));
  CHECK_FALSE(refuses("no port"));
  CHECK_FALSE(refuses("name.invalid:80"));
  threads.stop();
}

}  // namespace rmq::net
