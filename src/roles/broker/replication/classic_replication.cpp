#include "roles/broker/replication/classic_replication.h"

#include <functional>
#include <utility>

#include "net/await.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

Result<> ClassicReplication::listen(const std::string& address, std::uint16_t port) {
  senders_.push_back(std::make_unique<LogSender>(broker_.config, *broker_.store, slaves_,
                                                 broker_.cold_pulls, broker_.threads));
  Result<> listening = senders_.back()->listen(address, port);
  if (!listening) senders_.pop_back();
  return listening;
}

void ClassicReplication::start() {
  slaves_.start(ConfirmedOffset{log_end().value}, needed(),
                [this](ConfirmedOffset end) { broker_.store->confirm(end); });
  senders_.back()->start();
  if (standing() == Standing::Slave) {
    follow();
  } else {
    broker_.offsets.keep_local_commits(false);
  }
}

void ClassicReplication::follow() {
  receivers_.push_back(std::make_unique<LogReceiver>(
      broker_.config, *broker_.store, broker_.outgoing, broker_.threads, broker_.clock));
  LogReceiver* const receiver = receivers_.back().get();
  std::function<net::Task<>()> begin = [this, receiver]() -> net::Task<> {
    broker_.offsets.keep_local_commits(true);
    broker_.registration.on_master([this, receiver](const Registration::Master& master) {
      // One that is gone may come back where it was.
      if (master.ha.empty() || receiver_ != receiver) return;
      receiver->set_master({master.broker, master.ha});
      broker_.follow_tables_of(master.broker);
    });
    receiver_ = receiver;
    receiver->start();
    receiver->set_master({});
    broker_.follow_tables();
    co_return;
  };
  net::run_blocking<void>(broker_.threads.control(), std::move(begin));
}

void ClassicReplication::stop() {
  if (!senders_.empty()) senders_.back()->stop();
  LogReceiver* const receiver = receiver_.exchange(nullptr);
  if (receiver == nullptr) return;
  std::function<net::Task<>()> end = [receiver]() -> net::Task<> {
    receiver->stop();
    co_return;
  };
  net::run_blocking<void>(broker_.threads.control(), std::move(end));
}

void ClassicReplication::wait_for_end() {
  if (receivers_.empty()) return;
  std::function<net::Task<>()> wait = [this] { return receivers_.back()->ended(); };
  net::run_blocking<void>(broker_.threads.control(), std::move(wait));
}

Replication::Standing ClassicReplication::standing() const {
  return broker_.config.broker_role == BrokerRole::Slave ? Standing::Slave : Standing::Master;
}

bool ClassicReplication::follows() const {
  const LogReceiver* const receiver = receiver_.load(std::memory_order_acquire);
  return receiver != nullptr && receiver->connected();
}

bool ClassicReplication::has_enough() const {
  const std::size_t needed = slaves_.needed();
  return needed <= 1 || slaves_.in_sync(log_end(), broker_.config.ha_max_gap_not_in_sync) >= needed;
}

protocol::HaStatus ClassicReplication::ha_status() const {
  const PhysicalOffset end = log_end();
  if (const LogReceiver* const receiver = receiver_.load(std::memory_order_acquire)) {
    return slave_status(receiver->status(), end);
  }
  protocol::HaStatus status;
  status.is_master = true;
  status.log_end = end.value;
  for (const SlaveTable::Slave& slave : slaves_.all()) {
    status.slaves.push_back(
        {.address = slave.address,
         .acked = slave.acked.value,
         .behind = end - slave.acked,
         .in_sync = SlaveTable::is_in_sync(slave, end, broker_.config.ha_max_gap_not_in_sync),
         .next = slave.sent.value,
         .bytes_per_second = slave.sent_in_second});
  }
  return status;
}

void ClassicReplication::settings_changed() {
  slaves_.set_needed(needed(), [this] { return ConfirmedOffset{log_end().value}; });
}

void ClassicReplication::sample() {
  slaves_.sample();
  if (LogReceiver* const receiver = receiver_) receiver->sample();
}

std::size_t ClassicReplication::needed() const {
  const bool waits = broker_.config.broker_role == BrokerRole::SyncMaster;
  return waits ? static_cast<std::size_t>(broker_.config.in_sync_replicas) : 1;
}

PhysicalOffset ClassicReplication::log_end() const {
  return PhysicalOffset{broker_.store->appended().value().value};
}

}  // namespace rmq::roles::broker
