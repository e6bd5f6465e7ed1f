#include "load/pacer.h"

namespace rmq::load {

net::Task<> pace(std::vector<PacedStream> streams, SteadyTime begin,
                 std::chrono::nanoseconds interval, net::Event stop) {
  std::size_t turn = 0;
  SteadyTime due = begin;
  while (!co_await stop.wait_until(due)) {
    // Late ones too, with the time at which they should have gone.
    for (const SteadyTime now = std::chrono::steady_clock::now(); due <= now; due += interval) {
      const PacedStream& next = streams[turn];
      turn = (turn + 1) % streams.size();
      next.connection->post(
          [&next, due](net::Connection& connection) { next.stream->send_due(connection, due); });
    }
  }
}

}  // namespace rmq::load
