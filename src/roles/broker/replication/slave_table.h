// SlaveTable: the slaves that are connected to this master, what each has, and up to where so many
// of them have it that it is confirmed.
// Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/units.h"
#include "base/watermark.h"

namespace rmq::roles::broker {

class SlaveTable {
 public:
  struct Slave {
    std::string address;              // "ip:port" of its end of the connection
    PhysicalOffset sent;              // the log was sent to it up to here
    PhysicalOffset acked;             // it has the log up to here
    std::int64_t sent_in_second = 0;  // bytes, between the last two calls of sample()
  };

  // What ends by `end` counts as confirmed from the start. `needed`: how many replicas must have
  // what comes later, this one among them; 1: nobody is waited for, and confirmed() stays.
  // `on_confirmed` hears of each advance, on the thread that caused it, and of kAllConfirmed when
  // nobody is needed any more.
  void start(ConfirmedOffset end, std::size_t needed,
             std::function<void(ConfirmedOffset)> on_confirmed);
  std::size_t needed() const { return needed_.load(); }
  // From now on. `end`: where the log ends, asked for after the change: who was to wait until then
  // waits no longer when nobody is needed any more, and for what comes later otherwise.
  void set_needed(std::size_t needed, const std::function<ConfirmedOffset()>& end);

  std::uint64_t add(std::string address, PhysicalOffset from);
  void remove(std::uint64_t id);
  void note_sent(std::uint64_t id, PhysicalOffset end);
  // The slave has all that lies before `end`. Error: ProtocolErrc::BodyMalformed when that is
  // beyond what was sent to it, or before what it had acknowledged.
  Result<> ack(std::uint64_t id, PhysicalOffset end);

  // How many replicas, this one among them, lag by `gap_max` bytes at most behind `end`, the end
  // of the log.
  std::size_t in_sync(PhysicalOffset end, std::int64_t gap_max) const;
  // Whether it counts for in_sync().
  static bool is_in_sync(const Slave& slave, PhysicalOffset end, std::int64_t gap_max) {
    return end - slave.acked <= gap_max;
  }
  std::vector<Slave> all() const;
  // Once a second.
  void sample();
  bool any() const;

  // Within one start it only grows, whichever slaves come and go.
  Watermark<ConfirmedOffset>& confirmed() { return confirmed_; }

 private:
  struct Entry {
    Slave slave;
    PhysicalOffset sampled;  // sent up to here when sample() was called last
  };

  ConfirmedOffset confirmed_by_acks() const RMQ_REQUIRES(mutex_);

  void publish(ConfirmedOffset confirmed);

  std::atomic<std::size_t> needed_ = 1;
  std::function<void(ConfirmedOffset)> on_confirmed_;
  Mutex publish_mutex_;  // before mutex_
  mutable Mutex mutex_;
  std::map<std::uint64_t, Entry> slaves_ RMQ_GUARDED_BY(mutex_);
  std::uint64_t next_id_ RMQ_GUARDED_BY(mutex_) = 1;
  Watermark<ConfirmedOffset> confirmed_;
};

}  // namespace rmq::roles::broker
