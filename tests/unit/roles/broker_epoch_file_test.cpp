#include "roles/broker/replication/epoch_file.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

#include "base/log.h"
#include "replication/replication_errc.h"
#include "tests/support/failing_file_system.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
namespace {

using replication::Epoch;
using replication::EpochEntry;
using replication::ReplicationErrc;
using Entries = std::vector<EpochEntry>;

constexpr PhysicalOffset kLogEnd{1000};

struct Fixture {
  Fixture() { log::set_level(log::Level::Error); }

  test::TempDirectory directory;
  test::FailingFileSystem files;
  std::string path = directory / "epochFileCheckpoint";
  std::string backup = path + ".bak";
  std::string reign = directory / "rmq/reign";

  Entries entries(PhysicalOffset log_end = kLogEnd) {
    EpochFile file(files, directory.path());
    const Result<> loaded = file.load(log_end);
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message()));
    return file.history().entries();
  }
  Error refusal(PhysicalOffset log_end = kLogEnd) {
    EpochFile file(files, directory.path());
    const Result<> loaded = file.load(log_end);
    REQUIRE_FALSE(loaded);
    return loaded.error();
  }
  std::string text(const std::string& of) { return *read_text_file(files, of); }
  void write(const std::string& to, std::string_view text) {
    REQUIRE(files.make_directories(parent_directory(to), SyncParents::No));
    REQUIRE(write_file_atomically(files, to, as_bytes(text)));
  }
};

EpochEntry entry(std::int32_t epoch, std::int64_t start) {
  return {Epoch{epoch}, PhysicalOffset{start}};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("epoch file: what was begun, cut and seen is there after a start") {
  Fixture fixture;
  CHECK(fixture.entries().empty());
  {
    EpochFile file(fixture.files, fixture.directory.path());
    REQUIRE(file.load(kLogEnd));
    CHECK(file.seen() == Epoch{0});
    REQUIRE(file.begin(Epoch{2}, PhysicalOffset{0}));
    REQUIRE(file.begin(Epoch{4}, PhysicalOffset{500}));
    REQUIRE(file.begin(Epoch{5}, PhysicalOffset{700}));
    REQUIRE(file.truncate(PhysicalOffset{600}));
    CHECK(file.seen() == Epoch{5});
    REQUIRE(file.see(Epoch{9}));
    REQUIRE(file.see(Epoch{8}));
    CHECK(file.begin(Epoch{4}, PhysicalOffset{600}).error().code ==
          ReplicationErrc::EpochsOutOfOrder);
    CHECK(file.history().entries() == Entries{entry(2, 0), entry(4, 500)});
  }
  EpochFile again(fixture.files, fixture.directory.path());
  REQUIRE(again.load(kLogEnd));
  CHECK(again.history().entries() == Entries{entry(2, 0), entry(4, 500)});
  CHECK(again.seen() == Epoch{9});
  // As Java reads them: the sum is of "2-0\n4-500\n".
  CHECK(fixture.text(fixture.path) == "2\n658034516\n2-0\n4-500\n");
  CHECK(fixture.text(fixture.backup) == fixture.text(fixture.path));
  CHECK(fixture.text(fixture.reign) == "9\n");
}

TEST_CASE("epoch file: what begins at the log's end or later goes at a start") {
  Fixture fixture;
  fixture.write(fixture.path, "3\n0\n1-0\n2-500\n3-1000\n");
  CHECK(fixture.entries() == Entries{entry(1, 0), entry(2, 500)});
  CHECK(fixture.entries(PhysicalOffset{5000}) == Entries{entry(1, 0), entry(2, 500)});
  // It was seen all the same, in a store that Java wrote.
  EpochFile file(fixture.files, fixture.directory.path());
  REQUIRE(file.load(kLogEnd));
  CHECK(file.seen() == Epoch{2});
}

TEST_CASE("epoch file: a damaged file is an error that names it, unless its copy is sound") {
  Fixture fixture;
  {
    EpochFile file(fixture.files, fixture.directory.path());
    REQUIRE(file.load(kLogEnd));
    REQUIRE(file.begin(Epoch{1}, PhysicalOffset{0}));
    REQUIRE(file.begin(Epoch{2}, PhysicalOffset{500}));
  }
  const std::string sound = fixture.text(fixture.path);
  fixture.write(fixture.path, sound.substr(0, sound.size() - 2));
  CHECK(fixture.entries() == Entries{entry(1, 0), entry(2, 500)});
  // Put right by that.
  CHECK(fixture.text(fixture.path) == sound);
  REQUIRE(fixture.files.remove(fixture.path));
  CHECK(fixture.entries() == Entries{entry(1, 0), entry(2, 500)});
  fixture.write(fixture.backup, "1\n0\n1-0\n");  // an older one
  CHECK(fixture.entries() == Entries{entry(1, 0), entry(2, 500)});
  CHECK(fixture.text(fixture.backup) == sound);

  fixture.write(fixture.path, "2\n7\n1-0\n2-500\n");
  fixture.write(fixture.backup, "");
  const Error why = fixture.refusal();
  CHECK(why.code == ReplicationErrc::Malformed);
  CHECK(contains(why.detail, fixture.path));
  CHECK(contains(why.detail, "empty store"));
  fixture.write(fixture.path, "2\n0\n2-0\n1-500\n");
  CHECK(fixture.refusal().code == ReplicationErrc::EpochsOutOfOrder);
  // Nothing is lost while there is no log.
  CHECK(fixture.entries(PhysicalOffset{0}).empty());
}

TEST_CASE("epoch file: a reign that cannot be read is an error that names it") {
  Fixture fixture;
  for (const char* text : {"", "x\n", "-1\n", "12", "12\n\n", "99999999999\n"}) {
    CAPTURE(text);
    fixture.write(fixture.reign, text);
    CHECK(fixture.refusal().code == ReplicationErrc::Malformed);
    CHECK(contains(fixture.refusal().detail, fixture.reign));
  }
}

TEST_CASE("epoch file: a change that cannot be written is none, and can be made again") {
  for (const auto call : {test::FileCall::Write, test::FileCall::Sync}) {
    for (const char* in : {"epochFileCheckpoint.tmp", ".bak.tmp", "reign.tmp"}) {
      CAPTURE(in);
      Fixture fixture;
      EpochFile file(fixture.files, fixture.directory.path());
      REQUIRE(file.load(kLogEnd));
      REQUIRE(file.begin(Epoch{1}, PhysicalOffset{0}));
      fixture.files.plan(call, 1, std::errc::io_error, in, 1);
      CHECK(file.begin(Epoch{2}, PhysicalOffset{500}).error().code == std::errc::io_error);
      CHECK(file.history().entries() == Entries{entry(1, 0)});
      REQUIRE(file.begin(Epoch{2}, PhysicalOffset{500}));
      CHECK(file.history().entries() == Entries{entry(1, 0), entry(2, 500)});
      CHECK(fixture.entries() == Entries{entry(1, 0), entry(2, 500)});
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "epoch file: a history is taken over whole, and forgotten whole") {
  EpochFile file(files, directory.path());
  REQUIRE(file.load(kLogEnd));
  const auto history = replication::EpochHistory::from({entry(2, 0), entry(5, 100)});
  REQUIRE(file.adopt(*history));
  CHECK(file.history() == *history);
  CHECK(entries() == history->entries());
  REQUIRE(file.see(Epoch{7}));
  REQUIRE(file.forget());
  CHECK(file.history().empty());
  CHECK(file.seen() == Epoch{});
  for (const std::string& gone : {path, backup, reign}) CHECK_FALSE(files.exists(gone).value());
  CHECK(entries().empty());
  REQUIRE(file.forget());
  REQUIRE(file.begin(Epoch{1}, PhysicalOffset{0}));
  CHECK(entries() == Entries{entry(1, 0)});
}

}  // namespace rmq::roles::broker
