// The numbers of replication, as types that do not mix: who (ReplicaId), the number of a reign
// (Epoch), the number of a change of the SyncStateSet (SetEpoch), and a small set of replicas.
// Threads: values.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace rmq::replication {

// A replica's number within its broker set, given by the controller from 1 on. It is never the id
// that clients see: there the master is 0.
using ReplicaId = std::int64_t;

// A count of one kind; 0 is before the first.
template <class Tag>
struct Ordinal {
  std::int32_t value = 0;

  friend constexpr auto operator<=>(Ordinal, Ordinal) = default;
  constexpr Ordinal next() const { return Ordinal{value + 1}; }
};
using Epoch = Ordinal<struct EpochTag>;
using SetEpoch = Ordinal<struct SetEpochTag>;

// A handful of replicas, in ascending order.
class ReplicaIds {
 public:
  ReplicaIds() = default;
  ReplicaIds(std::initializer_list<ReplicaId> ids) {
    for (const ReplicaId id : ids) add(id);
  }

  void add(ReplicaId id) {
    const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
    if (at == ids_.end() || *at != id) ids_.insert(at, id);
  }
  void add(const ReplicaIds& others) {
    for (const ReplicaId id : others) add(id);
  }
  void remove(ReplicaId id) { std::erase(ids_, id); }
  void clear() { ids_.clear(); }

  bool contains(ReplicaId id) const { return std::binary_search(ids_.begin(), ids_.end(), id); }
  bool contains(const ReplicaIds& others) const {
    return std::includes(ids_.begin(), ids_.end(), others.begin(), others.end());
  }
  std::size_t size() const { return ids_.size(); }
  bool empty() const { return ids_.empty(); }
  std::vector<ReplicaId>::const_iterator begin() const { return ids_.begin(); }
  std::vector<ReplicaId>::const_iterator end() const { return ids_.end(); }

  friend bool operator==(const ReplicaIds&, const ReplicaIds&) = default;

 private:
  std::vector<ReplicaId> ids_;
};

// "{1,2}", for people.
inline std::string to_string(const ReplicaIds& ids) {
  std::string text = "{";
  for (const ReplicaId id : ids) {
    if (text.size() > 1) text += ',';
    text += std::to_string(id);
  }
  return text + "}";
}

}  // namespace rmq::replication
