#include "storage/offline/diverged.h"

#include "tests/support/store_fixture.h"

namespace rmq::storage {

using test::StoreFixture;
using Texts = std::vector<std::string>;

namespace {

// The bodies in a file; the error of reading it, if there is one, in `outcome`.
Texts bodies_of(const offline::DivergedFile& file, Result<>& outcome) {
  Texts bodies;
  outcome = offline::read_diverged(FileSystem::posix(), file, [&](ByteView bytes) -> Result<> {
    RMQ_TRY(const protocol::MessageRecord record, protocol::decode_record(bytes));
    bodies.emplace_back(as_text(record.body));
    return {};
  });
  return bodies;
}

}  // namespace

TEST_CASE("diverged: the files of cuts, over several segments, are read; others are left out") {
  StoreFixture fixture;
  fixture.config.commit_log_segment_bytes = 1000;
  fixture.open();
  const std::string directory = fixture.layout().diverged();
  offline::StorePlace place;
  place.config = fixture.config;
  CHECK(offline::list_diverged(FileSystem::posix(), place)->empty());
  std::vector<PhysicalOffset> ends;
  Texts all;
  for (int i = 0; i < 30; ++i) {
    all.push_back("message " + std::to_string(i));
    ends.push_back(fixture.append("T", 0, {all.back()}).end);
  }
  const Error over{std::make_error_code(std::errc::operation_canceled), "over"};
  // Twice the same range at the same time.
  for (int turn = 0; turn < 2; ++turn) {
    fixture.store->end_reign(over);
    REQUIRE(fixture.store->begin_reign(MessageStore::Reign::Leading, ends[4]));
    for (std::size_t i = 5; i < all.size(); ++i) REQUIRE(fixture.append("T", 0, {all[i]}).outcome);
  }
  REQUIRE(FileSystem::posix().open(directory + "/notes.txt", OpenMode::Create));
  REQUIRE(FileSystem::posix().open(directory + "/" + position_file_name(0) + "-" +
                                       position_file_name(9) + "-20260101000000000.part",
                                   OpenMode::Create));
  const auto found = offline::list_diverged(FileSystem::posix(), place);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  for (const offline::DivergedFile& file : *found) {
    CHECK(file.from == ends[4]);
    CHECK(file.to == ends[29]);
    CHECK_FALSE(file.sent);
    Result<> outcome;
    CHECK(bodies_of(file, outcome) == Texts(all.begin() + 5, all.end()));
    CHECK(outcome);
  }
  SUBCASE("one that was sent is known by its name") {
    REQUIRE(offline::note_sent(FileSystem::posix(), found->front()));
    const auto again = offline::list_diverged(FileSystem::posix(), place);
    CHECK(std::ranges::count_if(*again, [](const auto& file) { return file.sent; }) == 1);
  }
  SUBCASE("a damaged one says where") {
    test::overwrite(found->front().path, 3 * (ends[6] - ends[5]) + 100, as_bytes("?"));
    Result<> outcome;
    CHECK(bodies_of(found->front(), outcome).size() < 25);
    CHECK(outcome.error().code == StoreErrc::RecordMalformed);
    CHECK(outcome.error().detail.find(found->front().path) != std::string::npos);
  }
  SUBCASE("and so does a short one") {
    auto file = FileSystem::posix().open(found->front().path, OpenMode::Write);
    REQUIRE((*file)->truncate(100));
    Result<> outcome;
    CHECK(bodies_of(found->front(), outcome).empty());
    CHECK(outcome.error().code == StoreErrc::WrongFileSize);
  }
}

}  // namespace rmq::storage
