#include "roles/broker/replication/slave_table.h"

#include <algorithm>
#include <utility>

#include "protocol/protocol_errc.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

void SlaveTable::start(ConfirmedOffset end, std::size_t needed,
                       std::function<void(ConfirmedOffset)> on_confirmed) {
  needed_ = needed;
  on_confirmed_ = std::move(on_confirmed);
  confirmed_.advance(end);
  if (needed_ > 1) on_confirmed_(end);
}

void SlaveTable::set_needed(std::size_t needed, const std::function<ConfirmedOffset()>& end) {
  MutexLock publishing(publish_mutex_);
  const std::size_t before = needed_.exchange(needed);
  if (needed <= 1 && before <= 1) return;
  ConfirmedOffset now;
  if (needed > 1 && before > 1) {
    MutexLock lock(mutex_);
    now = std::max(confirmed_by_acks(), confirmed_.value());
  } else {
    now = end();
  }
  on_confirmed_(needed > 1 ? now : storage::MessageStore::kAllConfirmed);
  confirmed_.advance(now);
}

// In the order in which things are confirmed, and not after nobody is needed any more.
void SlaveTable::publish(ConfirmedOffset confirmed) {
  MutexLock publishing(publish_mutex_);
  if (needed_ <= 1 || confirmed <= confirmed_.value()) return;
  on_confirmed_(confirmed);
  confirmed_.advance(confirmed);
}

std::uint64_t SlaveTable::add(std::string address, PhysicalOffset from) {
  MutexLock lock(mutex_);
  slaves_[next_id_] = {.slave = {.address = std::move(address), .sent = from, .acked = {}},
                       .sampled = from};
  return next_id_++;
}

void SlaveTable::remove(std::uint64_t id) {
  MutexLock lock(mutex_);
  slaves_.erase(id);
}

void SlaveTable::note_sent(std::uint64_t id, PhysicalOffset end) {
  MutexLock lock(mutex_);
  if (const auto it = slaves_.find(id); it != slaves_.end()) it->second.slave.sent = end;
}

Result<> SlaveTable::ack(std::uint64_t id, PhysicalOffset end) {
  ConfirmedOffset confirmed;
  {
    MutexLock lock(mutex_);
    const auto it = slaves_.find(id);
    if (it == slaves_.end()) return {};
    Slave& slave = it->second.slave;
    if (end > slave.sent || end < slave.acked) {
      return fail(protocol::ProtocolErrc::BodyMalformed,
                  "a slave that was sent the log up to " + std::to_string(slave.sent.value) +
                      " and had it up to " + std::to_string(slave.acked.value) + " says " +
                      std::to_string(end.value));
    }
    slave.acked = end;
    if (needed_ <= 1) return {};
    confirmed = confirmed_by_acks();
  }
  if (confirmed > confirmed_.value()) publish(confirmed);
  return {};
}

ConfirmedOffset SlaveTable::confirmed_by_acks() const {
  const std::size_t needed = needed_;
  if (needed <= 1) return {};
  const std::size_t others = needed - 1;
  if (slaves_.size() < others) return {};
  std::vector<std::int64_t> acks;
  acks.reserve(slaves_.size());
  for (const auto& [id, entry] : slaves_) acks.push_back(entry.slave.acked.value);
  const auto last = acks.begin() + static_cast<std::ptrdiff_t>(others) - 1;
  std::nth_element(acks.begin(), last, acks.end(), std::greater<>());
  return ConfirmedOffset{*last};
}

std::size_t SlaveTable::in_sync(PhysicalOffset end, std::int64_t gap_max) const {
  MutexLock lock(mutex_);
  return 1 + static_cast<std::size_t>(std::ranges::count_if(slaves_, [&](const auto& entry) {
           return is_in_sync(entry.second.slave, end, gap_max);
         }));
}

std::vector<SlaveTable::Slave> SlaveTable::all() const {
  MutexLock lock(mutex_);
  std::vector<Slave> slaves;
  for (const auto& [id, entry] : slaves_) slaves.push_back(entry.slave);
  return slaves;
}

void SlaveTable::sample() {
  MutexLock lock(mutex_);
  for (auto& [id, entry] : slaves_) {
    entry.slave.sent_in_second = entry.slave.sent - std::exchange(entry.sampled, entry.slave.sent);
  }
}

bool SlaveTable::any() const {
  MutexLock lock(mutex_);
  return !slaves_.empty();
}

}  // namespace rmq::roles::broker
