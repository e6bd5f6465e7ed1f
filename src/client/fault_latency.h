// FaultLatency: which brokers a producer avoids for a while: one that did not answer in time or
// could not be reached, from its first failure on, and one that answers slowly. Periods: RocketMQ
// MQFaultStrategy.java. Unlike there a broker is known by its address, so that one that comes back
// elsewhere is used at once. Threads: any.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"

namespace rmq::client {

// How long a broker that took so long to answer is avoided.
std::chrono::milliseconds penalty_of(std::chrono::milliseconds latency);
// How long one that did not answer at all is avoided, unless a probe finds it well before.
inline constexpr std::chrono::milliseconds kSilencePenalty{10'000};

class FaultLatency {
 public:
  // `clock` must outlive this object.
  explicit FaultLatency(Clock& clock) : clock_(clock) {}

  // It took a message, or said why not.
  void answered(const std::string& address, std::chrono::milliseconds latency);
  // No answer in time, or no connection.
  void failed(const std::string& address);
  bool avoided(const std::string& address);

  // Those that failed and have not answered since: to be asked something cheap now and then.
  std::vector<std::string> silent();
  // What came of that. A probe that was answered ends the penalty; one that was not renews it. A
  // broker that answers probes and then fails again must be well longer each time: 1, 2, 4 ... 30
  // s.
  void probed(const std::string& address, bool answered);

 private:
  struct Fault {
    SteadyTime avoided_until{};
    SteadyTime trusted_from{};  // probes answered before that change nothing
    int failures = 0;           // since a message was last taken
    bool silent = false;
  };

  Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Fault> faults_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::client
