#include "tests/replication/invariants.h"

#include <algorithm>
#include <optional>

namespace rmq::sim {
namespace {

[[noreturn]] void violated(NodeId broker, const std::string& what) {
  throw Violation(name_of(broker) + ": " + what);
}

std::string text_of(const Record& record) {
  return "record " + std::to_string(record.number) + " of epoch " +
         std::to_string(record.epoch.value);
}

}  // namespace

void Invariants::own_epoch(NodeId broker, Epoch epoch) {
  const auto [owner, is_new] = masters_.emplace(epoch, broker);
  if (owner->second != broker) {
    violated(broker, "acts as master in epoch " + std::to_string(epoch.value) + " of " +
                         name_of(owner->second));
  }
}

void Invariants::on_written(NodeId broker, PhysicalOffset from) {
  const Records& log = disks_[broker]->log;
  for (auto at = static_cast<std::size_t>(from.value); at < log.size(); ++at) {
    const Written record{log[at].number, at == 0 ? Epoch{} : log[at - 1].epoch};
    const auto [found, is_new] = written_.emplace(std::pair(log[at].epoch, at), record);
    const bool same =
        found->second.number == record.number && found->second.before == record.before;
    if (!same) {
      violated(broker, "logs differ at " + std::to_string(at) + ": " + text_of(log[at]) +
                           ", another log has " + std::to_string(found->second.number));
    }
  }
}

// The broker's log has there what is confirmed.
void Invariants::check_same(NodeId broker, std::size_t from, std::size_t to) const {
  if (options_.may_lose_confirmed()) return;
  const Records& log = disks_.at(broker)->log;
  for (std::size_t at = from; at < to; ++at) {
    if (at < log.size() && log[at] == confirmed_[at]) continue;
    violated(broker, "confirmed at " + std::to_string(at) + " is " + text_of(confirmed_[at]) +
                         ", the log has " +
                         (at < log.size() ? text_of(log[at]) : std::string("nothing")));
  }
}

void Invariants::on_reign(NodeId broker, Epoch epoch) {
  own_epoch(broker, epoch);
  const bool is_newest = masters_.rbegin()->first == epoch;
  if (is_newest) check_same(broker, 0, confirmed_.size());
  reigns_[broker] = {epoch, 0};
}

void Invariants::on_reign_end(NodeId broker) { reigns_.erase(broker); }

void Invariants::on_confirmed(NodeId broker, Epoch epoch, PhysicalOffset confirmed) {
  own_epoch(broker, epoch);
  const Records& log = disks_[broker]->log;
  const auto to = static_cast<std::size_t>(confirmed.value);
  if (to > log.size()) violated(broker, "confirms what it has not");
  if (options_.may_lose_confirmed()) return;
  Reign& reign = reigns_[broker];
  for (std::size_t at = confirmed_.size(); at < to; ++at) confirmed_.push_back(log[at]);
  check_same(broker, reign.checked, to);
  for (const auto& [other, later] : reigns_) {
    if (later.epoch > epoch) check_same(other, reign.checked, to);
  }
  reign.checked = std::max(reign.checked, to);
}

void Invariants::on_heard_confirmed(NodeId broker, PhysicalOffset before,
                                    PhysicalOffset confirmed) {
  if (options_.may_lose_confirmed()) return;
  if (static_cast<std::size_t>(confirmed.value) > confirmed_.size()) {
    violated(broker, "takes for confirmed what nobody has confirmed");
  }
  check_same(broker, static_cast<std::size_t>(before.value),
             static_cast<std::size_t>(confirmed.value));
}

void Invariants::on_cut(NodeId broker, PhysicalOffset to, PhysicalOffset confirmed) {
  if (options_.may_lose_confirmed() || to >= confirmed) return;
  violated(broker, "cuts its log to " + std::to_string(to.value) + ", it knows that " +
                       std::to_string(confirmed.value) + " is confirmed");
}

void Invariants::on_group_offset(NodeId broker, QueueOffset committed) {
  if (committed <= disks_[broker]->queue_end()) return;
  violated(broker, "the group's offset " + std::to_string(committed.value) +
                       " is behind the end of the log, " +
                       std::to_string(disks_[broker]->log.size()));
}

void Invariants::on_answered(std::int64_t number, PhysicalOffset offset) {
  const auto at = static_cast<std::size_t>(offset.value);
  answered_[at] = number;
  if (!options_.sync || options_.may_lose_confirmed()) return;
  if (at >= confirmed_.size() || confirmed_[at].number != number) {
    throw Violation("answered with OK, and not confirmed: record " + std::to_string(number));
  }
  int copies = 0;
  for (const auto& [broker, disk] : disks_) {
    const std::size_t safe = options_.ack_flushed ? disk->flushed_count : disk->log.size();
    copies += at < safe && disk->log[at] == confirmed_[at] ? 1 : 0;
  }
  if (copies < 2) {
    throw Violation("answered with OK, and in " + std::to_string(copies) + " log only: record " +
                    std::to_string(number));
  }
}

void Invariants::on_delivered(PhysicalOffset offset, const Record& record) {
  const auto at = static_cast<std::size_t>(offset.value);
  delivered_.insert({at, record.epoch});
  if (!options_.sync || options_.may_lose_confirmed()) return;
  if (at < confirmed_.size() && confirmed_[at] == record) return;
  violated(kConsumer,
           "got at " + std::to_string(at) + " what is not confirmed: " + text_of(record));
}

void Invariants::check_end(const SimDisk& disk) const {
  const Records& log = disk.log;
  for (std::size_t at = 0; at < log.size(); ++at) {
    if (!delivered_.contains({at, log[at].epoch})) {
      throw Violation("the consumer never got " + text_of(log[at]) + " at " + std::to_string(at));
    }
  }
  if (!options_.sync || options_.may_lose_confirmed()) return;
  for (const auto& [at, number] : answered_) {
    if (at >= log.size() || log[at].number != number) {
      throw Violation("answered with OK, and gone: record " + std::to_string(number));
    }
  }
  for (const auto& [at, epoch] : delivered_) {
    if (at >= log.size() || log[at].epoch != epoch) {
      throw Violation("delivered, and gone: what was at " + std::to_string(at));
    }
  }
}

}  // namespace rmq::sim
