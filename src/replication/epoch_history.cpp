#include "replication/epoch_history.h"

#include <algorithm>
#include <string>

#include "replication/replication_errc.h"

namespace rmq::replication {
namespace {

// The first entry that starts after `offset`.
auto first_after(const std::vector<EpochEntry>& entries, PhysicalOffset offset) {
  return std::upper_bound(
      entries.begin(), entries.end(), offset,
      [](PhysicalOffset at, const EpochEntry& entry) { return at < entry.start; });
}

}  // namespace

Result<EpochHistory> EpochHistory::from(const std::vector<EpochEntry>& entries) {
  EpochHistory history;
  for (const EpochEntry& entry : entries) RMQ_CHECK(history.begin(entry.epoch, entry.start));
  return history;
}

Result<> EpochHistory::begin(Epoch epoch, PhysicalOffset start) {
  if (!entries_.empty()) {
    const EpochEntry& before = entries_.back();
    if (epoch <= before.epoch || start < before.start) {
      return fail(ReplicationErrc::EpochsOutOfOrder, std::to_string(epoch.value) + "-" +
                                                         std::to_string(start.value) + " after " +
                                                         std::to_string(before.epoch.value) + "-" +
                                                         std::to_string(before.start.value));
    }
    if (start == before.start) entries_.pop_back();
  }
  entries_.push_back({epoch, start});
  return {};
}

void EpochHistory::truncate_suffix(PhysicalOffset end) {
  while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
}

std::optional<EpochEntry> EpochHistory::last() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back();
}

std::optional<EpochEntry> EpochHistory::at(PhysicalOffset offset) const {
  const auto next = first_after(entries_, offset);
  if (next == entries_.begin()) return std::nullopt;
  return *(next - 1);
}

PhysicalOffset EpochHistory::end_of_part(PhysicalOffset offset, PhysicalOffset log_end) const {
  const auto next = first_after(entries_, offset);
  return next == entries_.end() ? log_end : std::min(next->start, log_end);
}

std::optional<PhysicalOffset> consistent_point(const LogShape& mine, const LogShape& theirs) {
  const std::vector<EpochEntry>& own = mine.history.entries();
  const std::vector<EpochEntry>& other = theirs.history.entries();
  for (auto entry = own.rbegin(); entry != own.rend(); ++entry) {
    if (std::find(other.begin(), other.end(), *entry) == other.end()) continue;
    return std::min(mine.history.end_of_part(entry->start, mine.end),
                    theirs.history.end_of_part(entry->start, theirs.end));
  }
  const bool same_start = !own.empty() && !other.empty() && own[0].start == other[0].start;
  return same_start ? std::optional(own[0].start) : std::nullopt;
}

PhysicalOffset start_of_reign(const EpochHistory& history, PhysicalOffset log_begin,
                              PhysicalOffset log_end) {
  return history.empty() ? log_begin : log_end;
}

}  // namespace rmq::replication
