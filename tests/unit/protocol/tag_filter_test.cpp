#include "protocol/tag_filter.h"

#include <doctest/doctest.h>

#include <ostream>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {

TEST_CASE("tag filter: everything") {
  for (const auto& filter :
       {TagFilter(), TagFilter::parse("").value(), TagFilter::parse("*").value()}) {
    CHECK(filter.matches_all());
    CHECK(filter.matches(0));
    CHECK(filter.matches(-1));
    CHECK(filter.tags().empty());
  }
}

TEST_CASE("tag filter: some tags") {
  const TagFilter filter = TagFilter::parse(" TagA||TagB || TagA").value();
  CHECK_FALSE(filter.matches_all());
  CHECK(filter.tags() == std::vector<std::string>{"TagA", "TagB"});
  CHECK(filter.hashes() == std::vector<std::int32_t>{tag_hash("TagA"), tag_hash("TagB")});
  CHECK(filter.matches(tag_hash("TagB")));
  CHECK_FALSE(filter.matches(tag_hash("TagC")));
  CHECK_FALSE(filter.matches(0));
}

TEST_CASE("tag filter: blanks want nothing, separators alone are an error") {
  const TagFilter blank = TagFilter::parse("  ").value();
  CHECK_FALSE(blank.matches_all());
  CHECK_FALSE(blank.matches(0));
  CHECK(TagFilter::parse("||").error().code == ProtocolErrc::FieldMalformed);
  CHECK(TagFilter::parse("||||").error().code == ProtocolErrc::FieldMalformed);
}

TEST_CASE("tag hash: none is 0, and unequal tags may collide") {
  CHECK(tag_hash("") == 0);
  CHECK(tag_hash("Aa") == tag_hash("BB"));
}

}  // namespace rmq::protocol
