// Who is taken for dead, when, and what follows.
#include <doctest/doctest.h>

#include <array>

#include "tests/support/controller_fixture.h"

namespace rmq::roles::controller {
namespace {

enum class Says { Alive, Silent, TooEarly, Nothing };

// Another controller of the group, asked about the master of "b".
class OtherController {
 public:
  OtherController() { threads_.start(); }
  ~OtherController() { threads_.stop(); }

  void say(Says what) { says_ = what; }
  std::string address() const { return server_.address(); }
  int asked() { return server_.count(RequestCode::ControllerGetSyncStateData); }

 private:
  std::optional<net::Response> answer() const {
    if (says_ == Says::Nothing) return std::nullopt;
    protocol::ReplicasOfSet set;
    set.in_sync = {{.id = 1,
                    .address = "a",
                    .alive = says_ == Says::Alive,
                    .unheard = says_ == Says::TooEarly},
                   {.id = 2, .address = "b", .alive = true}};
    const std::string body = protocol::encode_replicas({{"b", set}});
    net::Response response;
    response.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    return response;
  }

  std::atomic<Says> says_ = Says::Alive;
  net::IoThreads threads_{1};
  test::FakeServer server_{threads_, [this](const protocol::CommandView&) { return answer(); }};
};

struct GroupFixture : ControllerFixture {
  GroupFixture() {
    config.peers = "n0-127.0.0.1:1;n1-" + others[0].address() + ";n2-" + others[1].address();
    start();
    make_pair();
  }
  // The master is silent until the others were asked again, which an election would have ended.
  void be_silent() {
    const int before = others[0].asked();
    while (others[0].asked() < before + 2) pass();
  }
  void wait_for_election() {
    while (reign() == "1 epoch 1 {1,2} 2") pass();
    CHECK(reign() == "2 epoch 2 {1,2} 3");
  }
  void pass() {
    clock.advance(100ms);
    beat(*second);
  }

  std::array<OtherController, 2> others;
};

}  // namespace

TEST_CASE_FIXTURE(ControllerFixture,
                  "controller: a closed connection and a closed port, and the next one is master") {
  start();
  make_pair();
  first->die();
  CHECK(second->notice(1) ==
        "2 " + second->address + R"( 2 3 1 {"syncStateSet":[1,2],"syncStateSetEpoch":3})");
  CHECK(reign() == "2 epoch 2 {1,2} 3");  // the manual clock has not moved
  CHECK(text(ask(RequestCode::ControllerGetSyncStateData, NoFields{}, R"(["b"])"))
            .find(R"({"alive":false,"brokerAddress":")" + first->address) != std::string::npos);
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: a closed connection alone is no death") {
  start();
  make_pair();
  first->close_connection();
  // Its port is tried meanwhile, and found open.
  let_it_look();
  let_it_look();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  beat(*first);  // on a new connection
  clock.advance(999ms);
  beat(*second);
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  // That it dies is still noticed.
  first->die();
  wait_for_reign("2 epoch 2 {1,2} 3");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: a port that closes after its connection") {
  start();
  make_pair();
  first->client.reset();
  let_it_look();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  first->die();
  wait_for_reign("2 epoch 2 {1,2} 3");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: a silent broker is dead after its time-out") {
  start();
  make_pair();
  clock.advance(999ms);
  beat(*second);
  let_it_look();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  clock.advance(1ms);
  wait_for_reign("2 epoch 2 {1,2} 3");
  CHECK(second->notice(1).starts_with("2 " + second->address + " 2 3 1 "));
  // It wakes up, and is not told again who is master: it asks, or is told by the next election.
  beat(*first);
  CHECK(is(elect(*first), ResponseCode::ControllerMasterStillExist));
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: a broker's long time-out can be cut") {
  start();
  first = join(1);
  second = join(2);
  first->timeout_ms = 10'000;
  beat(*first);
  REQUIRE(is(elect(*first), ResponseCode::Success));
  REQUIRE(is(alter(*first, 1, 1, {1, 2}), ResponseCode::Success));
  for (int seconds = 0; seconds < 9; ++seconds) {
    clock.advance(999ms);
    beat(*second);
    let_it_look();
    CHECK(reign() == "1 epoch 1 {1,2} 2");
  }
  REQUIRE(is(ask(RequestCode::GetControllerConfig, NoFields{}), ResponseCode::Success));
  controller->stop();
  config.heartbeat_timeout_max = 3'000ms;
  restart();
  beat(*first);
  beat(*second);
  second->timeout_ms = 3'000;
  clock.advance(2'000ms);
  beat(*second);
  let_it_look();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  clock.advance(1'000ms);
  wait_for_reign("2 epoch 2 {1,2} 3");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: no member lives: nobody, until one comes back") {
  start();
  make_pair();
  const auto third = join(3);
  first->die();
  wait_for_reign("2 epoch 2 {1,2} 3");
  second->die();
  wait_for_reign("none epoch 2 {1,2} 3");
  const Command registered = register_broker(*third);
  CHECK(field(registered, "masterBrokerId") == "none");
  const Command asked = elect(*third);
  CHECK(is(asked, ResponseCode::ControllerElectMasterFailed));
  protocol::ControllerElectMasterRequest by_nobody;
  by_nobody.broker_name = "b";
  const Command unasked = ask(RequestCode::ControllerElectMaster, by_nobody);
  CHECK(is(unasked, ResponseCode::ControllerMasterNotAvailable));
  CHECK(unasked.remark == "Old master has down and failed to elect a new broker master");
  // A member's new process, elected without asking.
  Replica back(1);
  REQUIRE(is(register_broker(back), ResponseCode::Success));
  beat(back);
  wait_for_reign("1 epoch 3 {1,2} 4");
  CHECK(third->notice(1).starts_with("1 " + back.address + " 3 4 2 "));
}

TEST_CASE_FIXTURE(ControllerFixture,
                  "controller: the first master asks before its first heartbeat arrives") {
  start();
  clock.advance(1h);
  Replica replica(1);
  REQUIRE(is(apply(1, "x"), ResponseCode::Success));
  REQUIRE(is(register_broker(replica), ResponseCode::Success));
  REQUIRE(is(elect(replica), ResponseCode::Success));
  clock.advance(config.first_heartbeat_timeout - 1ms);
  let_it_look();
  CHECK(reign() == "1 epoch 1 {1} 1");
  clock.advance(1ms);
  wait_for_reign("none epoch 1 {1} 1");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: an unclean election takes who is there") {
  config.enable_elect_unclean_master = true;
  start();
  first = join(1);
  REQUIRE(is(elect(*first), ResponseCode::Success));
  second = join(2);
  first->die();
  wait_for_reign("2 epoch 2 {2} 2");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: the longest log of the newest epoch wins") {
  start();
  make_pair();
  const auto third = join(3);
  REQUIRE(is(alter(*first, 1, 2, {1, 2, 3}), ResponseCode::Success));
  second->epoch = third->epoch = 1;
  second->end = std::int64_t{5} << 30;
  third->end = (std::int64_t{5} << 30) + 1;
  beat(*second);
  beat(*third);
  first->die();
  wait_for_reign("3 epoch 2 {1,2,3} 4");
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: who wants to hear of changes of the set") {
  start();
  first = join(1);
  second = join(2);
  second->set_notices = true;
  beat(*second);
  REQUIRE(is(elect(*first), ResponseCode::Success));
  (void)first->notice(0);
  (void)second->notice(0);
  REQUIRE(is(alter(*first, 1, 1, {1, 2}), ResponseCode::Success));
  CHECK(second->notice(1) ==
        "1 " + first->address + R"( 1 2 - {"syncStateSet":[1,2],"syncStateSetEpoch":2})");
  // The next one that all hear is an election.
  REQUIRE(is(designate(2), ResponseCode::Success));
  CHECK(first->notice(1).starts_with("2 " + second->address + " 2 3 "));
}

TEST_CASE_FIXTURE(ControllerFixture, "controller: without notices brokers ask") {
  config.notify_broker_role_changed = false;
  start();
  first = join(1);
  second = join(2);
  REQUIRE(is(elect(*first), ResponseCode::Success));
  REQUIRE(is(alter(*first, 1, 1, {1, 2}), ResponseCode::Success));
  first->die();
  wait_for_reign("2 epoch 2 {1,2} 3");
  CHECK(second->notices().empty());
}

TEST_CASE_FIXTURE(ControllerFixture,
                  "controller: a new process knows the sets, and waits for life") {
  start();
  make_pair();
  restart();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  CHECK(field(next_id(), "nextBrokerId") == "3");
  // Nobody was heard of, and nobody is taken for dead.
  const auto unheard = [this] {
    const Command answer = ask(RequestCode::ControllerGetSyncStateData, NoFields{}, R"(["b"])");
    return text(answer).find("rmqUnheard") != std::string::npos;
  };
  CHECK(unheard());
  const Command registered = register_broker(*second);
  CHECK(field(registered, "masterBrokerId") == "1");
  beat(*second);
  CHECK(is(elect(*second), ResponseCode::ControllerMasterStillExist));
  second->timeout_ms = 600'000;
  beat(*second);
  clock.advance(config.first_heartbeat_timeout - 1ms);
  let_it_look();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  clock.advance(1ms);
  wait_for_reign("2 epoch 2 {1,2} 3");
  CHECK_FALSE(unheard());
}

TEST_CASE_FIXTURE(GroupFixture, "controller: a silent master that others hear is not replaced") {
  SUBCASE("all of them") {}
  SUBCASE("half of those that answer") { others[1].say(Says::Nothing); }
  SUBCASE("half of those that can know") { others[1].say(Says::TooEarly); }
  be_silent();
  CHECK(reign() == "1 epoch 1 {1,2} 2");
  others[0].say(Says::Silent);
  others[1].say(Says::Silent);
  wait_for_election();
}

TEST_CASE_FIXTURE(GroupFixture,
                  "controller: a silent master that fewer hear than do not is replaced") {
  SUBCASE("one hears it") { others[0].say(Says::Silent); }
  SUBCASE("nobody answers") {
    for (OtherController& other : others) other.say(Says::Nothing);
  }
  wait_for_election();
  CHECK(others[1].asked() > 0);
}

TEST_CASE_FIXTURE(GroupFixture, "controller: nobody is asked about a master whose port refuses") {
  first->die();
  wait_for_reign("2 epoch 2 {1,2} 3");
  CHECK(others[0].asked() == 0);
}

}  // namespace rmq::roles::controller
