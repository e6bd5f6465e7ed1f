// Outbox: what a connection has still to send, in order: small frames copied together, large bodies
// by reference. Threads: its connection's only.
#pragma once

#include <array>
#include <asio/buffer.hpp>
#include <deque>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "net/net_limits.h"

namespace rmq::net {

// Chunk memory for reuse; one pool per io thread, so that an idle connection owns none.
class ChunkPool {
 public:
  Bytes take();
  void give(Bytes chunk);

 private:
  std::vector<Bytes> free_;
};

class Outbox {
 public:
  explicit Outbox(ChunkPool& pool) : pool_(pool) {}

  // The end of the output: append whole frames, or a frame's head followed at once by add_body().
  // The reference is valid until the next call on this outbox. Append only.
  Bytes& tail();
  // Appends `body`: a small one is copied, a large one is sent from where it lies while `pin` keeps
  // it alive.
  void add_body(ByteView body, std::shared_ptr<const void> pin);

  // Not yet sent.
  std::size_t bytes() const;
  bool empty() const { return bytes() == 0; }

  // The front of the output as buffers for one write; they stay valid until sent().
  struct Buffers {
    std::array<asio::const_buffer, kBuffersMax> items;
    std::size_t count = 0;
    const asio::const_buffer* begin() const { return items.data(); }
    const asio::const_buffer* end() const { return items.data() + count; }
  };
  Buffers front() const;
  // The first `count` bytes are gone.
  void sent(std::size_t count);
  void clear();

 private:
  struct Chunk {
    Bytes copied;
    ByteView body;  // used when copied is empty
    std::shared_ptr<const void> pin;
    ByteView view() const { return pin ? body : ByteView(copied); }
  };

  ChunkPool& pool_;
  std::deque<Chunk> chunks_;
  std::size_t front_sent_ = 0;    // bytes of the first chunk that are gone
  std::size_t sealed_bytes_ = 0;  // bytes in all chunks but the last
};

}  // namespace rmq::net
