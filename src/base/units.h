// Strong numbers that must not be mixed: a place in the commit log, a place in a queue, a queue's
// id.
#pragma once

#include <compare>
#include <cstdint>

namespace rmq {

// A 64-bit position of one kind. Differences are plain integers.
template <class Tag>
struct Position {
  std::int64_t value = 0;

  friend constexpr auto operator<=>(Position, Position) = default;
  constexpr Position& operator+=(std::int64_t delta) {
    value += delta;
    return *this;
  }
  friend constexpr Position operator+(Position p, std::int64_t delta) {
    return Position{p.value + delta};
  }
  friend constexpr Position operator-(Position p, std::int64_t delta) {
    return Position{p.value - delta};
  }
  friend constexpr std::int64_t operator-(Position a, Position b) { return a.value - b.value; }
};

// A byte position in the commit log as one stream.
using PhysicalOffset = Position<struct PhysicalOffsetTag>;
// A message's number within its queue, from 0.
using QueueOffset = Position<struct QueueOffsetTag>;
// Appended, flushed, confirmed, dispatched and indexed are ends of the commit log with different
// promises.
using AppendedOffset = Position<struct AppendedOffsetTag>;
using FlushedOffset = Position<struct FlushedOffsetTag>;
using ConfirmedOffset = Position<struct ConfirmedOffsetTag>;
using DispatchedOffset = Position<struct DispatchedOffsetTag>;
using IndexedOffset = Position<struct IndexedOffsetTag>;

// A queue's number within its topic, from 0; negative in a send means "the broker picks".
using QueueId = std::int32_t;

}  // namespace rmq
