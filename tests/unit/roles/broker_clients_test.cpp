#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

#include "roles/broker/clients/client_registry.h"
#include "roles/broker/clients/queue_locks.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using protocol::ConsumerData;
using protocol::ConsumeType;
using protocol::MessageModel;
using protocol::SubscriptionData;
using Ids = std::vector<std::string>;

Client client(ConnectionId connection, std::string id) {
  Client result;
  result.connection_id = connection;
  result.client_id = std::move(id);
  return result;
}

SubscriptionData subscription(std::string topic, std::int64_t version = 1,
                              std::string expression = "*") {
  SubscriptionData result;
  result.topic = std::move(topic);
  result.sub_string = std::move(expression);
  result.sub_version = version;
  return result;
}

ConsumerData consumer(std::string group, std::vector<SubscriptionData> subscriptions,
                      MessageModel model = MessageModel::Clustering) {
  ConsumerData data;
  data.group = std::move(group);
  data.consume_type = ConsumeType::Passively;
  data.message_model = model;
  data.subscriptions = std::move(subscriptions);
  return data;
}

struct Fixture {
  Fixture() {
    registry.on_group_changed([this](const std::string& group, const std::vector<Client>& members) {
      std::string notice = group + ":";
      for (const Client& member : members) notice += " " + member.client_id;
      notices.push_back(notice);
    });
  }
  bool join(ConnectionId connection, const std::string& id, const ConsumerData& data,
            bool notify = true) {
    return registry.register_consumer(data, client(connection, id), 0, false, notify).changed;
  }
  Ids take_notices() { return std::exchange(notices, {}); }

  ManualClock clock;
  ClientRegistry registry{clock, 120s};
  Ids notices;
};

TEST_CASE_FIXTURE(Fixture, "clients: joining and leaving is told to the whole group") {
  const ConsumerData data = consumer("g", {subscription("T")});
  CHECK(join(1, "a", data));
  CHECK(take_notices() == Ids{"g: a"});
  CHECK_FALSE(join(1, "a", data));  // a heartbeat as before
  CHECK(take_notices().empty());
  CHECK(join(2, "b", data));
  CHECK(take_notices() == Ids{"g: a b"});
  CHECK(registry.consumer_ids("g") == Ids{"a", "b"});
  CHECK(registry.find_consumer("g", "b")->connection_id == 2);
  CHECK_FALSE(registry.find_consumer("g", "c").has_value());

  registry.unregister_consumer("g", 1, true);
  CHECK(take_notices() == Ids{"g: b"});
  registry.unregister_consumer("g", 1, true);  // twice
  registry.unregister_consumer("unknown", 1, true);
  CHECK(take_notices().empty());
  registry.connection_closed(2);
  CHECK(take_notices().empty());  // nobody is left to be told
  CHECK(registry.consumer_ids("g").empty());
  CHECK(registry.subscription("g") == nullptr);
}

TEST_CASE_FIXTURE(Fixture, "clients: a closed connection leaves all its groups") {
  for (const char* group : {"g", "h"}) {
    join(1, "a", consumer(group, {subscription("T")}));
    join(2, "b", consumer(group, {subscription("T")}));
  }
  registry.register_producer("p", client(1, "a"));
  registry.register_producer("p", client(2, "b"));
  take_notices();
  registry.connection_closed(1);
  CHECK(take_notices() == Ids{"g: b", "h: b"});
  CHECK(registry.producers("p").size() == 1);
  registry.connection_closed(1);
  CHECK(take_notices().empty());
  registry.connection_closed(2);
  CHECK(registry.producers("p").empty());
  CHECK(registry.producer_groups().empty());
}

TEST_CASE_FIXTURE(Fixture, "clients: who is not told") {
  const ConsumerData broadcast = consumer("b", {subscription("T")}, MessageModel::Broadcasting);
  CHECK(join(1, "a", broadcast));
  CHECK(join(2, "b", broadcast));
  registry.connection_closed(1);
  CHECK(take_notices().empty());

  const ConsumerData quiet = consumer("q", {subscription("T")});
  CHECK(join(3, "c", quiet, false));
  CHECK(join(4, "d", quiet, false));
  registry.connection_closed(3);
  CHECK(take_notices().empty());
}

TEST_CASE_FIXTURE(Fixture, "clients: a producer is found by its id, by its newest connection") {
  CHECK_FALSE(registry.find_producer("p"));
  registry.register_producer("g", client(1, "p"));
  registry.register_producer("h", client(1, "p"));
  REQUIRE(registry.find_producer("p"));
  CHECK(registry.find_producer("p")->connection_id == 1);
  registry.register_producer("g", client(2, "p"));
  CHECK(registry.find_producer("p")->connection_id == 2);
  registry.connection_closed(1);
  REQUIRE(registry.find_producer("p"));
  CHECK(registry.find_producer("p")->connection_id == 2);
  registry.unregister_producer("g", 2);
  CHECK_FALSE(registry.find_producer("p"));
}

TEST_CASE_FIXTURE(Fixture, "clients: the tags of a group come from its expressions") {
  SubscriptionData odd = subscription("T", 1, "café || b");
  odd.tag_hashes = {1, 2};  // not Java's, as the Go client counts them
  SubscriptionData class_filter = subscription("C", 1, "some.Filter");
  class_filter.class_filter_mode = true;
  join(1, "a",
       consumer("g", {odd, class_filter, subscription("Blank", 1, " "), subscription("All")}));
  const auto held = registry.subscription("g");
  CHECK(held->find("T")->tags.hashes() ==
        std::vector{protocol::tag_hash("café"), protocol::tag_hash("b")});
  CHECK(held->find("C")->tags.matches_all());
  CHECK(held->find("All")->tags.matches_all());
  CHECK_FALSE(held->find("Blank")->tags.matches(0));
}

TEST_CASE_FIXTURE(Fixture, "clients: the last heartbeat says what the group subscribes to") {
  join(1, "a", consumer("g", {subscription("T"), subscription("U")}));
  CHECK(registry.groups_of("U") == Ids{"g"});
  take_notices();
  SUBCASE("another member without a topic removes it, and it comes back") {
    CHECK(join(2, "b", consumer("g", {subscription("T")})));
    CHECK(registry.subscription("g")->find("U") == nullptr);
    CHECK(registry.groups_of("U").empty());
    CHECK(join(1, "a", consumer("g", {subscription("T"), subscription("U")})));
    CHECK(registry.subscription("g")->find("U") != nullptr);
    CHECK(take_notices() == Ids{"g: a b", "g: a b"});
  }
  SUBCASE("an expression changes with a greater version, without a notice") {
    CHECK_FALSE(join(1, "a", consumer("g", {subscription("T", 2, "x"), subscription("U")})));
    CHECK(registry.subscription("g")->find("T")->data.sub_string == "x");
    CHECK_FALSE(join(1, "a", consumer("g", {subscription("T", 2, "y"), subscription("U")})));
    CHECK(registry.subscription("g")->find("T")->data.sub_string == "x");
    CHECK(take_notices().empty());
  }
  SUBCASE("what a reader holds does not change under it") {
    const auto held = registry.subscription("g");
    join(1, "a", consumer("g", {subscription("V")}));
    CHECK(held->find("T") != nullptr);
    CHECK(held->find("V") == nullptr);
    CHECK(registry.subscription("g")->find("V") != nullptr);
  }
  SUBCASE("type and model follow the last heartbeat") {
    ConsumerData other = consumer("g", {subscription("T"), subscription("U")});
    other.consume_type = ConsumeType::Actively;
    CHECK_FALSE(join(1, "a", other));
    CHECK(registry.subscription("g")->consume_type == ConsumeType::Actively);
  }
}

TEST_CASE_FIXTURE(Fixture, "clients: second form of the heartbeat") {
  const ConsumerData full = consumer("g", {subscription("T")});
  const ConsumerData bare = consumer("g", {});
  const auto beat = [&](const ConsumerData& data, std::int32_t fingerprint, bool without_sub) {
    return registry.register_consumer(data, client(1, "a"), fingerprint, without_sub, true)
        .send_subscriptions;
  };
  CHECK(beat(bare, 7, true));  // nothing is known: it must send them
  CHECK_FALSE(beat(full, 7, false));
  CHECK_FALSE(beat(bare, 7, true));
  CHECK(registry.subscription("g")->find("T") != nullptr);
  CHECK(beat(bare, 8, true));  // another set
  CHECK_FALSE(beat(full, 8, false));
}

TEST_CASE_FIXTURE(Fixture, "clients: silence of 120 s ends a membership") {
  join(1, "a", consumer("g", {subscription("T")}));
  registry.register_producer("p", client(3, "c"));
  clock.advance(60s);
  join(2, "b", consumer("g", {subscription("T")}));
  take_notices();
  clock.advance(60s);
  CHECK(registry.expire().empty());
  clock.advance(1ms);
  const std::vector<Client> expired = registry.expire();
  REQUIRE(expired.size() == 2);
  CHECK(take_notices() == Ids{"g: b"});
  CHECK(registry.producers("p").empty());
  join(2, "b", consumer("g", {subscription("T")}));  // a heartbeat keeps it
  clock.advance(60s);
  CHECK(registry.expire().empty());
  // What expired does not come back with the end of its connection.
  registry.connection_closed(1);
  CHECK(take_notices().empty());
}

TEST_CASE_FIXTURE(Fixture, "clients: one connection, another client id") {
  join(1, "a", consumer("g", {subscription("T")}));
  join(1, "z", consumer("g", {subscription("T")}));
  CHECK(registry.consumer_ids("g") == Ids{"z"});
}

TEST_CASE("queue locks: owners, renewal, expiry") {
  ManualClock clock;
  QueueLocks locks(clock);
  using Queues = std::vector<protocol::MessageQueue>;
  const Queues both{{"T", "b", 0}, {"T", "b", 1}};
  const Queues first{{"T", "b", 0}};
  CHECK(locks.all_expired("g"));
  CHECK(locks.lock("g", "a", first) == first);
  CHECK_FALSE(locks.all_expired("g"));
  CHECK(locks.lock("g", "b", both) == Queues{{"T", "b", 1}});
  CHECK(locks.lock("h", "b", both) == both);  // groups do not share locks
  CHECK(locks.lock("g", "a", {}).empty());

  clock.advance(40s);
  CHECK(locks.lock("g", "a", first) == first);  // renewed
  clock.advance(40s);
  CHECK(locks.lock("g", "c", both) == Queues{{"T", "b", 1}});  // b's has expired
  clock.advance(20s);
  CHECK(locks.lock("g", "c", first).empty());  // 60 s exactly: not yet
  clock.advance(1ms);
  CHECK(locks.lock("g", "c", first) == first);

  locks.unlock("g", "b", both);  // not the owner
  CHECK(locks.lock("g", "b", both).empty());
  locks.unlock("g", "c", both);
  locks.unlock("unknown", "c", both);
  CHECK(locks.lock("g", "b", both) == both);
  clock.advance(60s + 1ms);
  CHECK(locks.all_expired("g"));
  locks.sweep();
  CHECK(locks.lock("g", "a", both) == both);
}

}  // namespace
}  // namespace rmq::roles::broker
