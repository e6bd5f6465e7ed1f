#include "client/fault_latency.h"

#include <algorithm>
#include <array>
#include <utility>

namespace rmq::client {
namespace {

using std::chrono::milliseconds;

// From this latency on, avoided so long.
constexpr std::array<std::pair<milliseconds, milliseconds>, 7> kPenalties{{
    {milliseconds(50), milliseconds(0)},
    {milliseconds(100), milliseconds(0)},
    {milliseconds(550), milliseconds(2'000)},
    {milliseconds(1'800), milliseconds(5'000)},
    {milliseconds(3'000), milliseconds(6'000)},
    {milliseconds(5'000), milliseconds(10'000)},
    {milliseconds(15'000), milliseconds(30'000)},
}};
constexpr std::chrono::seconds kDistrustMax{30};
constexpr int kDoublingsMax = 5;

}  // namespace

milliseconds penalty_of(milliseconds latency) {
  milliseconds penalty{0};
  for (const auto& [from, so_long] : kPenalties) {
    if (latency >= from) penalty = so_long;
  }
  return penalty;
}

void FaultLatency::answered(const std::string& address, milliseconds latency) {
  const milliseconds penalty = penalty_of(latency);
  MutexLock lock(mutex_);
  if (penalty.count() == 0) {
    faults_.erase(address);
    return;
  }
  Fault fault;
  fault.avoided_until = clock_.steady_now() + penalty;
  faults_[address] = fault;
}

void FaultLatency::failed(const std::string& address) {
  MutexLock lock(mutex_);
  Fault& fault = faults_[address];
  const SteadyTime now = clock_.steady_now();
  fault.avoided_until = now + kSilencePenalty;
  fault.trusted_from = now;
  if (fault.failures > 0) {
    const std::chrono::seconds distrust(1 << std::min(fault.failures - 1, kDoublingsMax));
    fault.trusted_from += std::min(distrust, kDistrustMax);
  }
  ++fault.failures;
  fault.silent = true;
}

bool FaultLatency::avoided(const std::string& address) {
  MutexLock lock(mutex_);
  const auto fault = faults_.find(address);
  return fault != faults_.end() && clock_.steady_now() < fault->second.avoided_until;
}

std::vector<std::string> FaultLatency::silent() {
  MutexLock lock(mutex_);
  std::vector<std::string> addresses;
  for (const auto& [address, fault] : faults_) {
    if (fault.silent) addresses.push_back(address);
  }
  return addresses;
}

void FaultLatency::probed(const std::string& address, bool answered) {
  MutexLock lock(mutex_);
  const auto found = faults_.find(address);
  if (found == faults_.end() || !found->second.silent) return;
  Fault& fault = found->second;
  const SteadyTime now = clock_.steady_now();
  if (!answered) {
    fault.avoided_until = std::max(fault.avoided_until, now + kSilencePenalty);
  } else if (now >= fault.trusted_from) {
    fault.avoided_until = now;
    fault.silent = false;
  }
}

}  // namespace rmq::client
