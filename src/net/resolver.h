// Resolver: host names to addresses by c-ares (hosts file and DNS), so that a static executable
// needs nothing of glibc's name service. Numeric addresses are answered at once. Threads: resolve()
// any; look-ups run one after the other on a thread of its own, started when first needed.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/task.h"

namespace rmq::net {

class Resolver {
 public:
  Resolver();
  ~Resolver();

  // The first address of `host`, numeric, IPv4 preferred. Errors: NetErrc::NameNotResolved,
  // TimedOut.
  Task<Result<std::string>> resolve(std::string host, std::chrono::milliseconds timeout);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rmq::net
