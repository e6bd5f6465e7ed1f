#include "roles/broker/sending/replica_waits.h"

#include <doctest/doctest.h>

#include <atomic>
#include <ostream>
#include <string>
#include <thread>

#include "net/net_errc.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;

SteadyTime in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

struct Fixture {
  Fixture() { threads.start(); }
  ~Fixture() { threads.stop(); }

  // Writes down what came, and counts.
  ReplicaWaits::Then note(std::string& outcome) {
    return [this, &outcome](const Result<>& result) {
      outcome += result ? "reached" : result.error().message();
      ++done;
    };
  }
  // The test's time limit is the only other end.
  void await(int count) const {
    while (done < count) std::this_thread::yield();
  }

  net::IoThreads threads{1};
  ReplicaWaits::Mark mark;
  ReplicaWaits waits{threads.control()};
  std::atomic<int> done{0};
};

const std::string kTimedOut = make_error_code(net::NetErrc::TimedOut).message();

}  // namespace

TEST_CASE_FIXTURE(Fixture, "replica waits: reached before, and later") {
  mark.advance(ConfirmedOffset{10});
  std::string before;
  waits.wait(mark, ConfirmedOffset{10}, in(60s), note(before));
  CHECK(before == "reached");
  std::string later;
  std::string never;
  waits.wait(mark, ConfirmedOffset{20}, in(60s), note(later));
  waits.wait(mark, ConfirmedOffset{21}, in(60s), note(never));
  mark.advance(ConfirmedOffset{19});
  CHECK(later.empty());
  mark.advance(ConfirmedOffset{20});
  CHECK(later == "reached");
  CHECK(never.empty());
}

TEST_CASE_FIXTURE(Fixture, "replica waits: who waits too long is told, and nobody else") {
  std::string long_one;
  std::string first;
  std::string second;
  std::string answered;
  waits.wait(mark, ConfirmedOffset{4}, in(60s), note(long_one));
  waits.wait(mark, ConfirmedOffset{1}, in(60s), note(answered));
  mark.advance(ConfirmedOffset{1});
  waits.wait(mark, ConfirmedOffset{2}, in(-1ms), note(first));
  waits.wait(mark, ConfirmedOffset{3}, in(20ms), note(second));
  await(3);
  CHECK(first == kTimedOut);
  CHECK(second == kTimedOut);
  CHECK(answered == "reached");
  CHECK(long_one.empty());
  mark.advance(ConfirmedOffset{4});
  CHECK(long_one == "reached");
  CHECK(second == kTimedOut);
  // Once nothing waited any more, it watches again.
  std::string again;
  waits.wait(mark, ConfirmedOffset{5}, in(5ms), note(again));
  await(5);
  CHECK(again == kTimedOut);
}

TEST_CASE_FIXTURE(Fixture, "replica waits: a reign that ends says why") {
  std::string outcome;
  waits.wait(mark, ConfirmedOffset{1}, in(60s), note(outcome));
  const Error why{make_error_code(net::NetErrc::ConnectionClosed), "over"};
  mark.end_reign(why, ConfirmedOffset{0});
  CHECK(outcome == why.message());
  // The offset is given again, to somebody else.
  std::string next;
  waits.wait(mark, ConfirmedOffset{1}, in(60s), note(next));
  mark.advance(ConfirmedOffset{1});
  CHECK(next == "reached");
  CHECK(done == 2);
}

}  // namespace rmq::roles::broker
