// Which commits may take an offset back: an administrator's and the reader's, not one that is late.
#include "tests/support/broker_member.h"

namespace rmq::roles::broker {
namespace {

using protocol::kPullCommitOffset;
using protocol::kPullSubscription;

struct Group : Fixture {
  Group() {
    for (int i = 0; i < 10; ++i) node->call(send_request(send_header("T"), "x"));
    node->settle();
    old_reader.join("g");
    new_reader.join("g");
    REQUIRE(old_reader.pull(0).code == 0);
    REQUIRE(old_reader.commit(4).code == 0);
    REQUIRE(new_reader.pull(4).code == 0);  // it has the queue now
    REQUIRE(new_reader.commit(8).code == 0);
  }
  QueueOffset known() const {
    return node->broker.offsets.find("g", "T", 0).value_or(QueueOffset{-1});
  }

  BrokerMember old_reader{*node, "a"};
  BrokerMember new_reader{*node, "b"};
};

}  // namespace

TEST_CASE_FIXTURE(Group, "commit: one that is late does not set the group back") {
  const Command late = old_reader.commit(5);
  CHECK(late.code == 0);
  CHECK_FALSE(late.remark.empty());
  CHECK(known() == QueueOffset{8});
  CHECK(old_reader.commit(9).remark.empty());  // forward it may
  CHECK(known() == QueueOffset{9});
}

TEST_CASE_FIXTURE(Group, "commit: with a pull that is late") {
  CHECK(old_reader.pull(5, kPullSubscription | kPullCommitOffset, 5).code == 0);
  CHECK(known() == QueueOffset{8});
  // The client has pulled, so it may have the queue again: now it is believed.
  CHECK(old_reader.commit(5).remark.empty());
  CHECK(known() == QueueOffset{5});
  CHECK(new_reader.commit(3).code == 0);
  CHECK(known() == QueueOffset{5});
}

TEST_CASE_FIXTURE(Group, "commit: the reader may go back") {
  CHECK(new_reader.commit(2).remark.empty());
  CHECK(known() == QueueOffset{2});
  CHECK(new_reader.pull(1, kPullSubscription | kPullCommitOffset, 1).code == 0);
  CHECK(known() == QueueOffset{1});
}

TEST_CASE_FIXTURE(Group, "commit: who is no consumer of the group may set it back") {
  BrokerMember administrator{*node, "tool"};
  CHECK(administrator.commit(1).remark.empty());
  CHECK(known() == QueueOffset{1});
}

TEST_CASE_FIXTURE(Group, "commit: nobody reads the queue any more") {
  new_reader.leave("g");
  CHECK(old_reader.commit(3).remark.empty());
  CHECK(known() == QueueOffset{3});
}

TEST_CASE_FIXTURE(Group, "commit: a held pull that goes on does not take the queue back") {
  // The old reader waits at the end of the queue; another has it by the time a message comes.
  auto held = std::async(std::launch::async, [&] {
    return old_reader.pull(10, kPullSubscription | protocol::kPullSuspend);
  });
  while (node->broker.long_polls.held() == 0) std::this_thread::yield();
  REQUIRE(new_reader.pull(8).code == 0);
  node->call(send_request(send_header("T"), "x"));
  CHECK(held.get().code == 0);
  CHECK_FALSE(old_reader.commit(5).remark.empty());
  CHECK(known() == QueueOffset{8});
  const auto reader = node->broker.readers.find("g", "T", 0);
  REQUIRE(reader.has_value());
  CHECK(reader->next == QueueOffset{10});
}

TEST_CASE("queue readers: erased by topic and by group") {
  QueueReaders readers;
  for (const char* group : {"g", "h"}) {
    for (const char* topic : {"T", "U"}) readers.note(group, topic, 1, {7, QueueOffset{3}});
  }
  CHECK(readers.find("g", "T", 1)->connection == 7);
  CHECK_FALSE(readers.find("g", "T", 0).has_value());
  readers.erase_topic("T");
  CHECK_FALSE(readers.find("g", "T", 1).has_value());
  CHECK(readers.find("h", "U", 1).has_value());
  readers.erase_group("h");
  CHECK_FALSE(readers.find("h", "U", 1).has_value());
  CHECK(readers.find("g", "U", 1).has_value());
  // Nobody has pulled here: there is nothing to go on with.
  readers.advance("x", "T", 0, {7, QueueOffset{3}});
  CHECK_FALSE(readers.find("x", "T", 0).has_value());
}

}  // namespace rmq::roles::broker
