// ClassicReplication: replication without controllers. A broker is master or slave by its settings;
// slaves get the log on RocketMQ's classic stream (protocol/ha_stream.h), from a slave, too.
// Threads: as Replication; the rest on the owner's, which may wait.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "roles/broker/replication/log_receiver.h"
#include "roles/broker/replication/log_sender.h"
#include "roles/broker/replication/replication.h"
#include "roles/broker/replication/slave_table.h"

namespace rmq::roles::broker {

class Broker;

class ClassicReplication final : public Replication {
 public:
  // `broker` outlives the io threads.
  explicit ClassicReplication(Broker& broker) : broker_(broker) {}

  // The store is open. After stop() again, and then start().
  Result<> listen(const std::string& address, std::uint16_t port) override;
  // The store has begun its reign.
  void start();
  void stop();
  // After stop(): nothing of it touches the store any more.
  void wait_for_end();

  Standing standing() const override;
  bool follows() const override;
  bool has_slaves() const override { return slaves_.any(); }
  bool waits() const override { return slaves_.needed() > 1; }
  bool has_enough() const override;
  Watermark<ConfirmedOffset>& acknowledged() override { return slaves_.confirmed(); }
  void note_own_log() override {}  // what slaves acknowledge says it
  protocol::HaStatus ha_status() const override;
  void settings_changed() override;
  void sample() override;

 private:
  std::size_t needed() const;
  PhysicalOffset log_end() const;
  void follow();

  Broker& broker_;
  SlaveTable slaves_;
  // The last one of each is in use, if any is; what the others have begun may still end.
  std::vector<std::unique_ptr<LogSender>> senders_;
  std::vector<std::unique_ptr<LogReceiver>> receivers_;
  std::atomic<LogReceiver*> receiver_{nullptr};  // of a slave
};

}  // namespace rmq::roles::broker
