#include "roles/controller/controller_config.h"

#include <doctest/doctest.h>

#include <ostream>

#include "config/config_errc.h"

namespace rmq::roles::controller {

TEST_CASE("controller config: peers") {
  CHECK(parse_peers("").value().empty());
  CHECK(parse_peers("n0-10.0.0.1:9878;n1-host-2:1;").value() ==
        std::vector<Peer>{{"n0", "10.0.0.1", 9878}, {"n1", "host-2", 1}});
  CHECK(parse_peers("n0-[::1]:9878").value().front().address() == "[::1]:9878");
  for (const char* bad :
       {"n0", "n0-h", "n0-h:", "n0-h:x", "n0-h:0", "n0-h:70000", "-h:1", "n0-:1", "n0:1"}) {
    CAPTURE(bad);
    CHECK(parse_peers(bad).error().code == config::ConfigErrc::BadValue);
  }
}

TEST_CASE("controller config: the own peer says the port") {
  ControllerConfig config;
  CHECK(settle_peers(config));
  CHECK(config.listen_port == 9878);
  config.peers = "n0-127.0.0.1:5001";
  CHECK(settle_peers(config));
  CHECK(config.listen_port == 5001);
  config.self_id = "n1";
  const Result<> unknown = settle_peers(config);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == config::ConfigErrc::BadValue);
  config.peers = "n0-127.0.0.1:5001;n1-127.0.0.1:5002";
  const Result<> several = settle_peers(config);
  REQUIRE_FALSE(several);
  CHECK(several.error().code == config::ConfigErrc::Refused);
  CHECK(several.error().detail.find("name only n1-127.0.0.1:5002") != std::string::npos);
  config.etcd_endpoints = "http://127.0.0.1:2379";
  CHECK(settle_peers(config));
  CHECK(config.listen_port == 5002);
}

}  // namespace rmq::roles::controller
