#include "roles/broker/sending/send_gate.h"

#include <doctest/doctest.h>

#include <ostream>

#include "roles/broker/sending/append_turn.h"

namespace rmq::roles::broker {
namespace {

bool is_set(const net::Event& event) {
  net::IoThreads threads(1);
  threads.start();
  std::function<net::Task<bool>()> look = [event] { return event.wait_until(SteadyTime{}); };
  const bool set = net::run_blocking<bool>(threads.control(), std::move(look));
  threads.stop();
  return set;
}

}  // namespace

TEST_CASE("send gate: what comes while it is closed comes out in its order when it opens") {
  SendGate gate;
  const auto first = std::make_shared<AppendTurn>();
  const auto second = std::make_shared<AppendTurn>();
  CHECK_FALSE(gate.is_closed());
  CHECK_FALSE(gate.keep(first));
  gate.close();
  CHECK(gate.is_closed());
  CHECK(gate.keep(first));
  CHECK(gate.keep(second));
  CHECK(gate.open() == SendGate::Turns{first, second});
  CHECK_FALSE(gate.is_closed());
  CHECK_FALSE(gate.keep(first));
  gate.close();
  CHECK(gate.open().empty());
}

TEST_CASE("send gate: who waits hears that it opens") {
  SendGate gate;
  CHECK(is_set(gate.opening()));
  gate.close();
  const net::Event opening = gate.opening();
  CHECK_FALSE(is_set(opening));
  gate.open();
  CHECK(is_set(opening));
  gate.close();
  CHECK_FALSE(is_set(gate.opening()));
}

}  // namespace rmq::roles::broker
