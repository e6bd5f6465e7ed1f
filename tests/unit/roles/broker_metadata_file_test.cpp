#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include "base/file_system.h"
#include "protocol/protocol_errc.h"
#include "roles/broker/metadata_file.h"
#include "tests/support/temp_directory.h"

namespace rmq::roles::broker {
namespace {

using protocol::ProtocolErrc;

void write(const std::string& path, std::string_view text) {
  REQUIRE(write_file_atomically(FileSystem::posix(), path, as_bytes(text)).has_value());
}
std::string read(const std::string& path) { return *read_text_file(FileSystem::posix(), path); }

// Takes every text but an empty one and "bad".
struct Reader {
  std::string text;
  Result<> operator()(std::string_view from) {
    if (from.empty() || from == "bad") return fail(ProtocolErrc::BodyMalformed, "bad");
    text = from;
    return {};
  }
};

struct Fixture {
  test::TempDirectory directory;
  const std::string path = directory / "config/x.json";
  MetadataFile file{FileSystem::posix(), path};
  Reader reader;

  Fixture() { REQUIRE(FileSystem::posix().make_directories(directory / "config").has_value()); }
  Result<bool> load() { return file.load(std::ref(reader)); }
};

TEST_CASE_FIXTURE(Fixture,
                  "metadata file: what was saved is loaded, what was before is the backup") {
  CHECK(*load() == false);
  REQUIRE(file.save("one"));
  REQUIRE(file.save("two"));
  CHECK(read(path) == "two");
  CHECK(read(path + ".bak") == "one");
  CHECK(*load() == true);
  CHECK(reader.text == "two");
}

TEST_CASE_FIXTURE(Fixture, "metadata file: makes its directory") {
  MetadataFile deep(FileSystem::posix(), directory / "a/b/x.json");
  REQUIRE(deep.save("one"));
  CHECK(read(directory / "a/b/x.json") == "one");
}

TEST_CASE_FIXTURE(Fixture, "metadata file: the backup stands in for a missing, empty or bad file") {
  write(path + ".bak", "backup");
  SUBCASE("missing") {}
  SUBCASE("empty") { write(path, ""); }
  SUBCASE("bad") { write(path, "bad"); }
  CHECK(*load() == true);
  CHECK(reader.text == "backup");

  // The next save must not put the bad file in the good backup's place.
  REQUIRE(file.save("one"));
  CHECK(read(path) == "one");
  CHECK(read(path + ".bak") == "backup");
  REQUIRE(file.save("two"));
  CHECK(read(path + ".bak") == "one");
}

TEST_CASE_FIXTURE(Fixture, "metadata file: nothing readable is an error, not an empty table") {
  SUBCASE("bad, no backup") { write(path, "bad"); }
  SUBCASE("empty, no backup") { write(path, ""); }
  SUBCASE("both bad") {
    write(path, "bad");
    write(path + ".bak", "bad");
  }
  SUBCASE("bad backup alone") { write(path + ".bak", "bad"); }
  const Result<bool> loaded = load();
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == ProtocolErrc::BodyMalformed);
}

}  // namespace
}  // namespace rmq::roles::broker
