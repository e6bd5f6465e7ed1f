#include "cli/suggest.h"

#include <doctest/doctest.h>

using namespace rmq::cli;

TEST_CASE("edit distance") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("topic", "topic") == 0);
  CHECK(edit_distance("topci", "topic") == 1);  // neighbours swapped
  CHECK(edit_distance("topics", "topic") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the nearest name is offered only when it is near") {
  const std::vector<std::string> nouns{"topic", "route", "cluster", "message"};
  CHECK(nearest_name("topci", nouns) == "topic");
  CHECK(nearest_name("mesage", nouns) == "message");
  CHECK(nearest_name("broker", nouns).empty());
  CHECK(nearest_name("x", nouns).empty());
  CHECK(nearest_name("topic", {}).empty());
  CHECK(did_you_mean("clutser", nouns) == " Did you mean 'cluster'?");
  CHECK(did_you_mean("zzz", nouns).empty());
}
