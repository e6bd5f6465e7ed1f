// Outbox: what a connection has still to send, in order: small frames copied together, large bodies by reference.
// Threads: its connection's only.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"

namespace rmq::net {

class Outbox {
 public:
  // The end of the output: append whole frames, or a frame's head followed at once by add_body().
  Bytes& tail();
  // Appends `body`: a small one is copied, a large one is sent from where it lies while `pin` keeps it alive.
  void add_body(ByteView body, std::shared_ptr<const void> pin);

  std::size_t bytes() const;  // not yet sent
  bool empty() const { return bytes() == 0; }
};

}  // namespace rmq::net
