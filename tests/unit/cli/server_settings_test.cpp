#include "cli/server_settings.h"

#include <doctest/doctest.h>

#include <ostream>
#include <sstream>

#include "net/net_errc.h"

using namespace rmq;
using namespace rmq::cli;

namespace {

const std::vector<Target> kServers{{"a", "h:1"}, {"b", "h:2"}};

std::string csv(const Listing& listing) { return listing.tables.front().csv_rows(); }

}  // namespace

TEST_CASE("settings: KEY=VALUE") {
  CHECK(check_setting("a=").empty());
  CHECK(check_setting("a=b=c").empty());
  CHECK_FALSE(check_setting("=b").empty());
  CHECK_FALSE(check_setting("ab").empty());
  CHECK(settings_from({"a=", "b=c=d"}) == JavaProperties{{"a", ""}, {"b", "c=d"}});
}

TEST_CASE("settings: those of several servers, sorted, all or only some") {
  const std::vector<Result<JavaProperties>> settings{JavaProperties{{"z", "1"}, {"k", "2"}},
                                                     fail(net::NetErrc::TimedOut, "h:2")};
  CHECK(csv(settings_listing("broker", kServers, settings, {})) == "a,k,2\r\na,z,1\r\n");
  CHECK(csv(settings_listing("broker", kServers, settings, {"z"})) == "a,z,1\r\n");
  CHECK(json::write(settings_listing("broker", kServers, settings, {"z"}).value) ==
        R"({"servers":[{"name":"a","address":"h:1","settings":{"z":"1"}}]})");
}

TEST_CASE("settings: old and new values of a change") {
  const std::vector<Result<JavaProperties>> before{JavaProperties{{"k", "1"}}, JavaProperties{}};
  SettingsChange change{"broker", true, {{"k", "1"}, {"n", "2"}}};
  CHECK(csv(change_listing(change, kServers, before, {})) ==
        "a,k,1,1,as it is\r\na,n,-,2,would change\r\n"
        "b,k,-,1,would change\r\nb,n,-,2,would change\r\n");
  change.dry_run = false;
  change.wanted = {{"k", "3"}};
  const std::vector<Result<bool>> results{true, fail(net::NetErrc::TimedOut, "h:2")};
  CHECK(csv(change_listing(change, kServers, before, results)) ==
        "a,k,1,3,set\r\nb,k,-,3,failed\r\n");
}

TEST_CASE("settings: a key that no server has gets the nearest one") {
  const std::vector<Result<JavaProperties>> settings{JavaProperties{{"flushDiskType", "x"}},
                                                     fail(net::NetErrc::TimedOut, "h:2")};
  CHECK(unknown_key({{"flushDiskType", "y"}}, settings).empty());
  CHECK(unknown_key({{"flushDiscType", "y"}}, settings) ==
        "there is no setting 'flushDiscType'. Did you mean 'flushDiskType'?");
}
