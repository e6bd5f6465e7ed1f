// AdminClient: what is asked of, and changed on, single name servers.
#include "protocol/kv.h"
#include "tests/unit/client/admin_fixture.h"

using namespace rmq;
using namespace rmq::client;
using protocol::RequestCode;
using protocol::ResponseCode;

namespace {

// Answers everything with code 0 and what it says, and keeps the last request.
struct Recorder {
  std::optional<net::Response> operator()(const protocol::CommandView& request) {
    last = protocol::Command(request);
    return answer;
  }
  protocol::Command last;
  net::Response answer;
};

std::string text(const Bytes& body) { return std::string(as_text(body)); }

}  // namespace

TEST_CASE("admin: a broker's permission to write, taken and given back") {
  Recorder recorder;
  AdminFixture fixture(std::ref(recorder));
  const std::string address = fixture.server.address();
  recorder.answer = test::respond(protocol::WipeWritePermOfBrokerResponse{.wipe_topic_count = 3});
  CHECK(fixture.run<std::int32_t>([&] { return fixture.admin->wipe_write_perm(address, "a"); }) ==
        3);
  CHECK(recorder.last.code == 205);
  CHECK(recorder.last.view().find("brokerName") == "a");
  recorder.answer = test::respond(protocol::AddWritePermOfBrokerResponse{.add_topic_count = 4});
  CHECK(fixture.run<std::int32_t>([&] { return fixture.admin->add_write_perm(address, "b"); }) ==
        4);
  CHECK(recorder.last.code == 327);
  CHECK(recorder.last.view().find("brokerName") == "b");
  recorder.answer = {};
  const auto odd =
      fixture.run<std::int32_t>([&] { return fixture.admin->wipe_write_perm(address, "a"); });
  CHECK_FALSE(odd.has_value());
}

TEST_CASE("admin: keys and values") {
  Recorder recorder;
  AdminFixture fixture(std::ref(recorder));
  AdminClient& admin = *fixture.admin;
  const std::string address = fixture.server.address();
  CHECK(fixture.run<void>([&] { return admin.put_kv(address, "N", "k", "v"); }));
  protocol::CommandView last = recorder.last.view();
  CHECK(last.code == 100);
  CHECK(last.find("namespace") == "N");
  CHECK(last.find("key") == "k");
  CHECK(last.find("value") == "v");
  CHECK(fixture.run<void>([&] { return admin.delete_kv(address, "N", "k"); }));
  CHECK(recorder.last.code == 102);
  recorder.answer = test::respond(protocol::GetKvConfigResponse{.value = "w"});
  CHECK(fixture.run<std::string>([&] { return admin.kv_value(address, "N", "k"); }) == "w");
  CHECK(recorder.last.code == 101);
  recorder.answer = test::respond_body(R"({"table":{"k":"w"}})");
  const auto table = fixture.run<protocol::KVTable>([&] { return admin.kv_list(address, "N"); });
  REQUIRE(table.has_value());
  CHECK(table->table == std::map<std::string, std::string>{{"k", "w"}});
  CHECK(recorder.last.code == 219);
  recorder.answer = test::refuse(22, "No config item");
  const auto none = fixture.run<std::string>([&] { return admin.kv_value(address, "N", "k"); });
  CHECK(none.error().code == ResponseCode::QueryNotFound);
}

TEST_CASE("admin: settings are .properties text, both ways") {
  Recorder recorder;
  AdminFixture fixture(std::ref(recorder));
  AdminClient& admin = *fixture.admin;
  const std::string address = fixture.server.address();
  const JavaProperties settings{{"a", "1"}, {"path", "x y"}};
  CHECK(fixture.run<void>([&] { return admin.update_namesrv_config(address, settings); }));
  CHECK(recorder.last.code == 318);
  CHECK(parse_properties(text(recorder.last.body)) == settings);
  CHECK(fixture.run<void>([&] { return admin.update_broker_config(address, settings); }));
  CHECK(recorder.last.code == 25);
  CHECK(parse_properties(text(recorder.last.body)) == settings);
  recorder.answer = test::respond_body("b=2\nc=3\n");
  const JavaProperties known{{"b", "2"}, {"c", "3"}};
  CHECK(fixture.run<JavaProperties>([&] { return admin.namesrv_config(address); }) == known);
  CHECK(recorder.last.code == 319);
  CHECK(fixture.run<JavaProperties>([&] { return admin.broker_config(address); }) == known);
  CHECK(recorder.last.code == 26);
}

TEST_CASE("admin: a topic is deleted at one server at a time") {
  Recorder recorder;
  AdminFixture fixture(std::ref(recorder));
  AdminClient& admin = *fixture.admin;
  const std::string address = fixture.server.address();
  CHECK(fixture.run<void>([&] { return admin.delete_topic(address, "T"); }));
  CHECK(recorder.last.code == 215);
  CHECK(recorder.last.view().find("topic") == "T");
  CHECK(fixture.run<void>([&] { return admin.delete_topic_in_namesrv(address, "T", "c"); }));
  CHECK(recorder.last.code == 216);
  CHECK(recorder.last.view().find("topic") == "T");
  CHECK(recorder.last.view().find("clusterName") == "c");
  recorder.answer = test::refuse(1, "no");
  const auto refused = fixture.run<void>([&] { return admin.delete_topic(address, "T"); });
  CHECK(refused.error().code == ResponseCode::SystemError);
  CHECK(refused.error().detail == address + ": no");
}
