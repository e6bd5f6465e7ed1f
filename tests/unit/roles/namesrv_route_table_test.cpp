// The registration and liveness rules of RouteTable, one test per rule.
#include "roles/namesrv/route_table.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <ostream>

#include "protocol/topic_config.h"

namespace rmq::roles::namesrv {
namespace {

using protocol::DataVersion;
using protocol::RegisterBrokerBody;
using protocol::TopicConfig;
using std::chrono::milliseconds;

struct Fixture {
  NamesrvConfig config;
  ManualClock clock;
  RouteTable table{config, clock};

  // What find_route() says about the queues of `topic` on `broker`; -1 when it has none.
  std::int32_t perm(std::string_view topic, std::string_view broker = "b") const {
    const auto route = table.find_route(topic);
    if (!route) return -1;
    for (const auto& queues : route->queue_datas) {
      if (queues.broker_name == broker) return queues.perm;
    }
    return -1;
  }
  protocol::BrokerAddresses addresses(std::string_view broker = "b") const {
    return table.member_group("c", broker).broker_addrs;
  }
};

Registration broker(std::int64_t id, std::string address, std::string name = "b") {
  Registration registration;
  registration.cluster = "c";
  registration.broker_name = std::move(name);
  registration.broker_addr = address;
  registration.broker_id = id;
  registration.ha_server_addr = "ha of " + address;
  registration.connection = 100 + static_cast<ConnectionId>(id);
  return registration;
}

RegisterBrokerBody topics(std::initializer_list<std::string_view> names,
                          DataVersion version = {0, 1, 1}) {
  RegisterBrokerBody body;
  body.data_version = version;
  for (const std::string_view name : names) {
    TopicConfig topic;
    topic.topic = name;
    topic.read_queue_nums = 8;
    topic.write_queue_nums = 8;
    body.topics.push_back(topic);
  }
  return body;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "registration: a master's topics get routes") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "TBW102"})));
  const auto route = table.find_route("T");
  REQUIRE(route);
  REQUIRE(route->queue_datas.size() == 1);
  CHECK(route->queue_datas[0] == protocol::QueueData{"b", 8, 8, 6, 0});
  REQUIRE(route->broker_datas.size() == 1);
  CHECK(route->broker_datas[0].cluster == "c");
  CHECK(route->broker_datas[0].broker_addrs == protocol::BrokerAddresses{{0, "a:1"}});
  CHECK_FALSE(route->order_topic_conf);
  CHECK_FALSE(route->topic_queue_mapping_by_broker);
  CHECK_FALSE(table.find_route("unknown"));
  CHECK(table.cluster_info().cluster_addr_table.at("c") == std::set<std::string>{"b"});
}

TEST_CASE_FIXTURE(Fixture,
                  "registration: exactly one topic cannot come first, and leaves nothing") {
  CHECK_FALSE(table.register_broker(broker(0, "a:1"), topics({"T"})));
  CHECK(table.cluster_info() == protocol::ClusterInfo{});
  CHECK_FALSE(table.find_route("T"));
  CHECK_FALSE(table.data_version("c", "a:1"));

  SUBCASE("none and two may") {
    CHECK(table.register_broker(broker(0, "a:1"), topics({})));
    CHECK(table.register_broker(broker(0, "a:2", "b2"), topics({"T", "U"})));
  }
  SUBCASE("the rule is per broker id") {
    CHECK(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
    CHECK_FALSE(table.register_broker(broker(1, "a:2"), topics({"T"})));
    CHECK(table.register_broker(broker(0, "a:1"), topics({"V"}, {0, 2, 2})));
    CHECK(perm("V") == 6);
    CHECK(perm("T") == 6);
  }
}

TEST_CASE_FIXTURE(Fixture, "registration: an address moves to its new id") {
  REQUIRE(table.register_broker(broker(1, "a:1"), topics({"T", "U"})));
  CHECK(addresses() == protocol::BrokerAddresses{{1, "a:1"}});
  CHECK_FALSE(table.find_route("T"));  // a slave that knows no acting masters brings no topics
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  CHECK(addresses() == protocol::BrokerAddresses{{0, "a:1"}});
  CHECK(perm("T") == 6);
}

TEST_CASE_FIXTURE(Fixture, "registration: a new address takes an occupied id") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"}, {3, 1, 1})));
  SUBCASE("same reign") {
    REQUIRE(table.register_broker(broker(0, "a:2"), topics({"T", "U"}, {3, 1, 1})));
    CHECK(addresses() == protocol::BrokerAddresses{{0, "a:2"}});
  }
  SUBCASE("an earlier reign is ignored while the holder lives") {
    const auto result = table.register_broker(broker(0, "a:2"), topics({"N", "U"}, {2, 9, 9}));
    REQUIRE(result);
    CHECK(result->master_addr.empty());
    CHECK(addresses() == protocol::BrokerAddresses{{0, "a:1"}});
    CHECK_FALSE(table.find_route("N"));
    CHECK_FALSE(table.data_version("c", "a:2"));
  }
  SUBCASE("an ignored address loses the id it had") {
    REQUIRE(table.register_broker(broker(1, "a:2"), topics({"T", "U"}, {2, 1, 1})));
    REQUIRE(table.register_broker(broker(0, "a:2"), topics({"T", "U"}, {2, 2, 2})));
    CHECK(addresses() == protocol::BrokerAddresses{{0, "a:1"}});
    CHECK_FALSE(table.data_version("c", "a:2"));
  }
  SUBCASE("an earlier reign is taken when the holder is dead") {
    clock.advance(kBrokerTimeout + milliseconds(1));
    table.remove_expired();
    REQUIRE(table.register_broker(broker(0, "a:2"), topics({"T", "U"}, {2, 1, 1})));
    CHECK(addresses() == protocol::BrokerAddresses{{0, "a:2"}});
  }
}

TEST_CASE_FIXTURE(
    Fixture,
    "registration: topics are updated only by a new data version or when they are missing") {
  auto body = topics({"T", "U"});
  REQUIRE(table.register_broker(broker(0, "a:1"), body));
  body.topics[0].perm = 4;
  REQUIRE(table.register_broker(broker(0, "a:1"), body));
  CHECK(perm("T") == 6);
  body.data_version.counter = 2;
  REQUIRE(table.register_broker(broker(0, "a:1"), body));
  CHECK(perm("T") == 4);

  table.delete_topic("T");
  CHECK_FALSE(table.find_route("T"));
  REQUIRE(table.register_broker(broker(0, "a:1"), body));
  CHECK(perm("T") == 4);

  // A new address counts as the first time, whatever the version.
  body.topics[0].perm = 2;
  REQUIRE(table.register_broker(broker(0, "a:9"), body));
  CHECK(perm("T") == 2);
}

TEST_CASE_FIXTURE(Fixture, "registration: topics missing from the body stay") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  SUBCASE("by default") {
    REQUIRE(table.register_broker(broker(0, "a:1"), topics({"U"}, {0, 2, 2})));
    CHECK(perm("T") == 6);
  }
  SUBCASE("not with deleteTopicWithBrokerRegistration") {
    config.delete_topic_with_broker_registration = true;
    REQUIRE(table.register_broker(broker(0, "a:2", "b2"), topics({"T", "U"})));
    REQUIRE(table.register_broker(broker(0, "a:1"), topics({"U"}, {0, 2, 2})));
    CHECK(perm("T") == -1);
    CHECK(perm("T", "b2") == 6);
    CHECK(perm("U") == 6);
    REQUIRE(table.register_broker(broker(0, "a:2", "b2"), topics({"U"}, {0, 2, 2})));
    CHECK_FALSE(table.find_route("T"));
  }
}

TEST_CASE_FIXTURE(Fixture, "registration: a slave learns its master while that lives") {
  auto result = table.register_broker(broker(1, "a:2"), topics({}));
  REQUIRE(result);
  CHECK(result->master_addr.empty());
  CHECK(result->ha_server_addr.empty());

  result = table.register_broker(broker(0, "a:1"), topics({"T", "U"}));
  REQUIRE(result);
  CHECK(result->master_addr.empty());

  result = table.register_broker(broker(1, "a:2"), topics({}));
  REQUIRE(result);
  CHECK(result->master_addr == "a:1");
  CHECK(result->ha_server_addr == "ha of a:1");

  table.connection_closed(100);
  result = table.register_broker(broker(1, "a:2"), topics({}));
  REQUIRE(result);
  CHECK(result->master_addr.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "acting master: topics of the living slave with the lowest id are taken without "
                  "write permission") {
  Registration slave = broker(2, "a:2");
  slave.enable_acting_master = true;
  REQUIRE(table.register_broker(slave, topics({"T", "U"})));
  CHECK(perm("T") == 4);

  SUBCASE("any value of enableActingMaster brings topics, only true costs the permission") {
    Registration other = broker(1, "a:3", "b2");
    other.enable_acting_master = false;
    REQUIRE(table.register_broker(other, topics({"T", "U"})));
    CHECK(perm("T", "b2") == 6);
  }
  SUBCASE("a slave with a higher id brings nothing") {
    Registration other = broker(3, "a:3");
    other.enable_acting_master = true;
    REQUIRE(table.register_broker(other, topics({"V", "W"})));
    CHECK_FALSE(table.find_route("V"));
  }
  SUBCASE("routes show it as the master only when asked to") {
    CHECK(table.find_route("T")->broker_datas[0].broker_addrs ==
          protocol::BrokerAddresses{{2, "a:2"}});
    config.support_acting_master = true;
    CHECK(table.find_route("T")->broker_datas[0].broker_addrs ==
          protocol::BrokerAddresses{{0, "a:2"}});
    CHECK(addresses() == protocol::BrokerAddresses{{2, "a:2"}});
  }
  SUBCASE("routes show it only for read-only queues, and never for member group topics") {
    config.support_acting_master = true;
    REQUIRE(table.register_broker(slave, topics({"rmq_sys_SYNC_BROKER_MEMBER_b", "T"}, {0, 2, 2})));
    CHECK(table.find_route("rmq_sys_SYNC_BROKER_MEMBER_b")->broker_datas[0].broker_addrs ==
          protocol::BrokerAddresses{{2, "a:2"}});
    table.add_write_perm("b");
    CHECK(table.find_route("T")->broker_datas[0].broker_addrs ==
          protocol::BrokerAddresses{{2, "a:2"}});
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "acting master: when the master goes, the write permission goes with it") {
  Registration master = broker(0, "a:1");
  Registration slave = broker(1, "a:2");
  const bool acting = [&] {
    bool value = false;
    SUBCASE("enabled") { value = true; }
    SUBCASE("disabled") { value = false; }
    return value;
  }();
  master.enable_acting_master = acting;
  slave.enable_acting_master = acting;
  REQUIRE(table.register_broker(master, topics({"T", "U"})));
  REQUIRE(table.register_broker(slave, topics({"T", "U"})));
  table.unregister(std::array{BrokerIdentity{"c", "b", "a:1"}});
  CHECK(perm("T") == (acting ? 4 : 6));
  CHECK(addresses() == protocol::BrokerAddresses{{1, "a:2"}});
}

TEST_CASE_FIXTURE(Fixture, "liveness: a broker expires after its own time, or two minutes") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  Registration quick = broker(0, "a:2", "b2");
  quick.heartbeat_timeout_ms = 1000;
  quick.connection = 7;
  REQUIRE(table.register_broker(quick, topics({"T", "U"})));

  clock.advance(milliseconds(1000));
  CHECK(table.remove_expired().empty());
  clock.advance(milliseconds(1));
  CHECK(table.remove_expired() == std::vector<ConnectionId>{7});
  CHECK(perm("T", "b2") == -1);
  CHECK(perm("T") == 6);

  clock.advance(kBrokerTimeout - milliseconds(1001));
  CHECK(table.remove_expired().empty());
  clock.advance(milliseconds(1));
  CHECK(table.remove_expired() == std::vector<ConnectionId>{100});
  CHECK_FALSE(table.find_route("T"));
  CHECK(table.cluster_info() == protocol::ClusterInfo{});
}

TEST_CASE_FIXTURE(Fixture, "liveness: any sign prolongs life; the wall clock does not matter") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  clock.advance(kBrokerTimeout);
  table.touch("c", "a:1");
  table.touch("c", "nobody:1");
  clock.set_wall_ms(0);
  clock.advance(kBrokerTimeout);
  CHECK(table.remove_expired().empty());
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({})));
  clock.advance(kBrokerTimeout);
  CHECK(table.remove_expired().empty());
  clock.advance(milliseconds(1));
  CHECK(table.remove_expired().size() == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "liveness: hostile time-outs neither overflow nor keep a broker for ever") {
  Registration registration = broker(0, "a:1");
  registration.heartbeat_timeout_ms = std::numeric_limits<std::int64_t>::max();
  REQUIRE(table.register_broker(registration, topics({"T", "U"})));
  CHECK(table.remove_expired().empty());
  registration.heartbeat_timeout_ms = std::numeric_limits<std::int64_t>::min();
  REQUIRE(table.register_broker(registration, topics({"T", "U"})));
  clock.advance(milliseconds(1));
  CHECK(table.remove_expired().size() == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "liveness: a closed connection removes all brokers that registered on it last") {
  Registration second = broker(0, "a:2", "b2");
  second.connection = 100;
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  REQUIRE(table.register_broker(second, topics({"T", "U"})));
  SUBCASE("all") {
    table.connection_closed(100);
    CHECK_FALSE(table.find_route("T"));
  }
  SUBCASE("not one that came back on another") {
    second.connection = 200;
    REQUIRE(table.register_broker(second, topics({"T", "U"})));
    table.connection_closed(100);
    CHECK(perm("T") == -1);
    CHECK(perm("T", "b2") == 6);
  }
  SUBCASE("a client's connection is nobody's") {
    table.connection_closed(555);
    CHECK(perm("T") == 6);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "unregistration: topics stay while a replica lives and vanish with the last") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  REQUIRE(table.register_broker(broker(1, "a:2"), topics({})));
  REQUIRE(table.register_broker(broker(0, "a:3", "b2"), topics({"T", "V"})));
  table.unregister(std::array{BrokerIdentity{"c", "b", "a:1"}});
  CHECK(perm("T") == 6);
  CHECK(perm("U") == 6);
  CHECK(addresses() == protocol::BrokerAddresses{{1, "a:2"}});
  table.unregister(std::array{BrokerIdentity{"c", "b", "a:2"}});
  CHECK(perm("T") == -1);
  CHECK(perm("T", "b2") == 6);
  CHECK_FALSE(table.find_route("U"));
  CHECK(table.all_topics().topic_list == std::vector<std::string>{"T", "V"});
  CHECK(table.cluster_info().cluster_addr_table.at("c") == std::set<std::string>{"b2"});
}

TEST_CASE_FIXTURE(Fixture,
                  "unregistration: of an unknown broker, address or cluster changes nothing else") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  const auto before = table.cluster_info();
  table.unregister(
      std::array{BrokerIdentity{"c", "other", "a:9"}, BrokerIdentity{"c", "b", "a:9"}});
  CHECK(table.cluster_info() == before);
  CHECK(perm("T") == 6);
}

TEST_CASE_FIXTURE(Fixture,
                  "unregistration: a name that came under two clusters leaves neither behind") {
  REQUIRE(table.register_broker(broker(0, "a:1"), topics({"T", "U"})));
  Registration moved = broker(0, "a:1");
  moved.cluster = "c2";
  REQUIRE(table.register_broker(moved, topics({"T", "U"})));
  table.connection_closed(100);
  CHECK(table.cluster_info() == protocol::ClusterInfo{});
  CHECK(table.all_topics().topic_list.empty());
}

TEST_CASE_FIXTURE(Fixture, "lowest id: who must be told of a change") {
  config.notify_min_broker_id_changed = true;
  Registration two = broker(2, "a:3");
  two.enable_acting_master = true;
  Registration one = broker(1, "a:2");
  one.enable_acting_master = true;
  REQUIRE(table.register_broker(two, topics({"T", "U"})));
  CHECK(table.take_min_id_changes().empty());
  REQUIRE(table.register_broker(one, topics({"T", "U"})));
  auto changes = table.take_min_id_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].min_broker_id == 1);
  CHECK(changes[0].min_broker_addr == "a:2");
  CHECK(changes[0].ha_broker_addr == "ha of a:2");
  CHECK(changes[0].to_notify == std::vector<std::string>{"a:3"});
  CHECK(table.take_min_id_changes().empty());

  table.unregister(std::array{BrokerIdentity{"c", "b", "a:2"}});
  changes = table.take_min_id_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].min_broker_id == 2);
  CHECK(changes[0].offline_broker_addr == "a:2");
  CHECK(changes[0].to_notify == std::vector<std::string>{"a:3"});

  config.notify_min_broker_id_changed = false;
  REQUIRE(table.register_broker(one, topics({"T", "U"})));
  CHECK(table.take_min_id_changes().empty());
}

}  // namespace rmq::roles::namesrv
