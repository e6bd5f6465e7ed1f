#include "base/watermark.h"

#include <doctest/doctest.h>

#include "base/units.h"

namespace rmq {

TEST_CASE("watermark: a waiter runs once, when the mark is reached") {
  Watermark<FlushedOffset> mark(FlushedOffset{10});
  int ran = 0;
  CHECK_FALSE(mark.when_at_least(FlushedOffset{10}, [&](Result<> r) { ran += r.has_value(); }));
  CHECK(ran == 1);
  mark.when_at_least(FlushedOffset{20}, [&](Result<> r) { ran += r.has_value(); });
  mark.advance(FlushedOffset{19});
  CHECK(ran == 1);
  mark.advance(FlushedOffset{20});
  CHECK(ran == 2);
  mark.advance(FlushedOffset{30});
  CHECK(ran == 2);
}

TEST_CASE("watermark: a cancelled waiter never runs") {
  Watermark<FlushedOffset> mark;
  bool ran = false;
  const auto ticket = mark.when_at_least(FlushedOffset{5}, [&](Result<>) { ran = true; });
  REQUIRE(ticket);
  CHECK(mark.cancel(*ticket));
  CHECK_FALSE(mark.cancel(*ticket));
  mark.advance(FlushedOffset{5});
  CHECK_FALSE(ran);
}

TEST_CASE("watermark: the end of a reign fails its waiters and may lower the mark") {
  Watermark<FlushedOffset> mark(FlushedOffset{10});
  std::error_code seen;
  mark.when_at_least(FlushedOffset{20}, [&](Result<> r) { seen = r.error().code; });
  mark.end_reign(Error{std::make_error_code(std::errc::operation_canceled), "truncated"},
                 FlushedOffset{7});
  CHECK(seen == std::errc::operation_canceled);
  CHECK(mark.value() == FlushedOffset{7});
}

TEST_CASE("watermark: between two reigns nobody waits") {
  Watermark<FlushedOffset> mark(FlushedOffset{10});
  std::vector<std::error_code> seen;
  const auto note = [&](Result<> r) { seen.push_back(r ? std::error_code() : r.error().code); };
  mark.when_at_least(FlushedOffset{20}, note);
  mark.end_reign(Error{std::make_error_code(std::errc::operation_canceled), "over"});
  CHECK_FALSE(mark.when_at_least(FlushedOffset{11}, note));
  mark.advance(FlushedOffset{12});
  CHECK_FALSE(mark.when_at_least(FlushedOffset{12}, note));
  REQUIRE(seen.size() == 3);
  CHECK(seen[0] == std::errc::operation_canceled);
  CHECK(seen[1] == std::errc::operation_canceled);
  CHECK_FALSE(seen[2]);
  SUBCASE("the next one begins there") {
    mark.begin_reign();
    CHECK(mark.value() == FlushedOffset{12});
  }
  SUBCASE("or lower") {
    mark.begin_reign(FlushedOffset{5});
    CHECK(mark.value() == FlushedOffset{5});
  }
  CHECK(mark.when_at_least(FlushedOffset{13}, note));
  mark.advance(FlushedOffset{13});
  REQUIRE(seen.size() == 4);
  CHECK_FALSE(seen[3]);
}

TEST_CASE("watermark: closed, it fails those who wait and those who come later") {
  Watermark<FlushedOffset> mark(FlushedOffset{10});
  std::vector<std::error_code> seen;
  const auto note = [&](Result<> r) { seen.push_back(r ? std::error_code() : r.error().code); };
  mark.when_at_least(FlushedOffset{20}, note);
  mark.close(Error{std::make_error_code(std::errc::io_error), "sync"});
  CHECK_FALSE(mark.when_at_least(FlushedOffset{11}, note));
  CHECK_FALSE(mark.when_at_least(FlushedOffset{10}, note));
  REQUIRE(seen.size() == 3);
  CHECK(seen[0] == std::errc::io_error);
  CHECK(seen[1] == std::errc::io_error);
  CHECK_FALSE(seen[2]);
}

}  // namespace rmq
