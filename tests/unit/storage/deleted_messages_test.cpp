// Messages of a deleted topic: gone, and gone for good.
#include "storage/deleted_messages.h"

#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::StoreFixture;
using Texts = std::vector<std::string>;

namespace {

PhysicalOffset end_of(const StoreFixture& fixture) {
  return PhysicalOffset{fixture.store->appended().value().value};
}

struct Deleted : StoreFixture {
  Deleted() {
    open();
    REQUIRE(append("T", 0, {"one", "two"}).outcome);
    REQUIRE(append("Other", 0, {"stays"}).outcome);
    REQUIRE(wait_dispatched());
    REQUIRE(store->delete_messages("T", end_of(*this)));
  }
  void check_gone() {
    CHECK(store->min_offset("T", 0) == QueueOffset{2});
    CHECK(store->visible_end("T", 0) >= QueueOffset{2});
    ReadRequest request;
    request.topic = "T";
    request.queue_id = 0;
    request.from = QueueOffset{0};
    const auto read = store->read(request);
    REQUIRE(read);
    CHECK(read->status != ReadStatus::Found);
    CHECK(read->next == QueueOffset{2});
    CHECK(bodies("Other", 0) == Texts{"stays"});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Deleted, "deleted messages: gone at once, after a stop and after a crash") {
  check_gone();
  SUBCASE("stopped") { stop(); }
  SUBCASE("killed") { kill(); }
  SUBCASE("queues lost") {
    stop();
    REQUIRE(FileSystem::posix().remove_all(layout().consume_queues()));
    REQUIRE(FileSystem::posix().open(layout().abort(), OpenMode::Create));
  }
  open();
  check_gone();
}

TEST_CASE_FIXTURE(Deleted, "deleted messages: what comes after the deletion is kept") {
  const auto appended = append("T", 0, {"three"});
  CHECK(appended.offsets.at(0) == QueueOffset{2});
  REQUIRE(wait_dispatched());
  CHECK(bodies("T", 0, 2) == Texts{"three"});
  check_gone();
  kill();
  open();
  CHECK(bodies("T", 0, 2) == Texts{"three"});
  check_gone();
}

TEST_CASE("deleted messages: a log that lost its end hides nothing that comes instead") {
  StoreFixture fixture;
  fixture.open();
  REQUIRE(fixture.append("T", 0, {"one"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  const PhysicalOffset kept = end_of(fixture);
  REQUIRE(fixture.append("T", 0, {"lost"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  REQUIRE(fixture.store->delete_messages("T", end_of(fixture)));
  fixture.kill();
  test::overwrite(fixture.segment_path(0), kept.value, Bytes(64));
  REQUIRE(FileSystem::posix().remove_all(fixture.layout().log_mark()));
  fixture.open();
  REQUIRE(end_of(fixture) == kept);
  REQUIRE(fixture.append("T", 0, {"instead"}).outcome);
  REQUIRE(fixture.wait_dispatched());
  CHECK(fixture.bodies("T", 0, 1) == Texts{"instead"});
  fixture.kill();
  fixture.open();
  CHECK(fixture.bodies("T", 0, 1) == Texts{"instead"});
}

TEST_CASE_FIXTURE(Deleted, "deleted messages: a file that cannot be read stops the start") {
  stop();
  const char* text = "";
  SUBCASE("no JSON") { text = "[1,"; }
  SUBCASE("no object") { text = "[1]"; }
  SUBCASE("no place in the log") { text = "{\"T\":\"here\"}"; }
  REQUIRE(write_file_atomically(*files, layout().deleted_messages(), as_bytes(text)));
  const auto opened = try_open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == StoreErrc::Corrupt);
}

}  // namespace rmq::storage
