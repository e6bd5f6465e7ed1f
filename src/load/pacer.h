// Pacer: lets requests fall due at a steady rate, whatever their answers do (an open loop).
// Threads: pace() runs on the io thread of all streams that it is given.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "load/send_stream.h"
#include "net/await.h"
#include "net/connection.h"
#include "net/task.h"

namespace rmq::load {

struct PacedStream {
  std::shared_ptr<net::Connection> connection;
  std::shared_ptr<SendStream> stream;
};

// Gives each stream in turn a request every `interval`, the first at `begin`, until `stop` is set.
net::Task<> pace(std::vector<PacedStream> streams, SteadyTime begin,
                 std::chrono::nanoseconds interval, net::Event stop);

}  // namespace rmq::load
