// FlatIndex<Value>: finds small values by a hash that the caller makes of their keys, with one look
// into one table: for tables with so many entries that the processor's caches do not hold what they
// refer to. The keys are the caller's: a value that is found by its hash is asked whether it is the
// one that was meant. Values come, and go all at once.
// Threads: readers any number, writers alone.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace rmq {

template <class Value>
class FlatIndex {
 public:
  // The value of this hash for which `is_meant` holds; null when there is none. Good until the next
  // insert() or clear().
  template <class Predicate>
  const Value* find(std::uint64_t hash, Predicate is_meant) const {
    if (slots_.empty()) return nullptr;
    hash = used(hash);
    for (std::size_t at = hash & mask(); slots_[at].hash != kFree; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.hash == hash && is_meant(slot.value)) return &slot.value;
    }
    return nullptr;
  }

  // The first place where find() will look is in the processor's caches soon.
  void prefetch(std::uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[used(hash) & mask()]);
  }

  // A value that find() does not find.
  void insert(std::uint64_t hash, Value value) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow();
    ++count_;
    put({used(hash), std::move(value)});
  }

  void clear() {
    slots_.clear();
    count_ = 0;
  }

 private:
  static constexpr std::size_t kSlotsMin = 64;
  static constexpr std::uint64_t kFree = 0;  // as a hash it counts as 1
  static constexpr std::size_t kCacheLine = 64;
  // A small slot is in one cache line.
  static constexpr std::size_t kSlotAlignment =
      std::min(std::bit_ceil(sizeof(std::uint64_t) + sizeof(Value)), kCacheLine);

  // A value is in the first slot that was free from the one its hash names.
  struct alignas(kSlotAlignment) Slot {
    std::uint64_t hash = kFree;
    Value value{};
  };

  static std::uint64_t used(std::uint64_t hash) { return hash == kFree ? hash + 1 : hash; }
  std::size_t mask() const { return slots_.size() - 1; }

  void grow() {
    std::vector<Slot> before(slots_.empty() ? kSlotsMin : slots_.size() * 2);
    before.swap(slots_);
    for (Slot& slot : before) {
      if (slot.hash != kFree) put(std::move(slot));
    }
  }

  void put(Slot slot) {
    std::size_t at = slot.hash & mask();
    while (slots_[at].hash != kFree) at = (at + 1) & mask();
    slots_[at] = std::move(slot);
  }

  std::vector<Slot> slots_;  // a power of two of them, a quarter free at least
  std::size_t count_ = 0;
};

}  // namespace rmq
