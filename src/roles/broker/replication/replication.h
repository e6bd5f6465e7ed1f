// Replication: how the log of this broker gets to others, or comes from one, and what senders and
// readers must know of it. Without controllers it is ClassicReplication, under them ReplicaManager;
// which of the two it is may change while the broker runs.
// Threads: any, but where something else is said.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/units.h"
#include "base/watermark.h"
#include "protocol/ha_status.h"

namespace rmq::roles::broker {

class Replication {
 public:
  // What a broker is, to its clients. Fenced: nobody is known to be the master, and nothing is
  // served.
  enum class Standing { Fenced, Master, Slave };

  Replication() = default;
  virtual ~Replication() = default;
  Replication(const Replication&) = delete;
  Replication& operator=(const Replication&) = delete;

  // For slaves. Errors: of StreamServer::listen(). Owner's thread.
  virtual Result<> listen(const std::string& address, std::uint16_t port) = 0;

  virtual Standing standing() const = 0;
  // A slave whose master is there and sends its log.
  virtual bool follows() const = 0;
  // A master with slaves that are there.
  virtual bool has_slaves() const = 0;

  // Whether sends wait for replicas; whether there are enough of them for that; and for what of the
  // log they have. The mark stays as long as the broker.
  virtual bool waits() const = 0;
  virtual bool has_enough() const = 0;
  virtual Watermark<ConfirmedOffset>& acknowledged() = 0;
  // There is more of the log.
  virtual void note_own_log() = 0;

  // The rest on the control thread.

  virtual protocol::HaStatus ha_status() const = 0;
  // Whether sends wait, and for how many, has changed.
  virtual void settings_changed() = 0;
  // Once a second.
  virtual void sample() = 0;
};

}  // namespace rmq::roles::broker
