// ControllerStore: where the controllers of a cluster keep what they know of broker sets. A set is
// read, changed by the rules of src/replication, and written by compare-and-swap on its version; so
// any number of controllers may share a store, and none of them needs to be the leader.
//
// Answers come later, so that a store may be a disk or another server.
// Threads: open() on the owner's; the others are awaited on the control thread, and may overlap.
// Crash: a change that was answered is there; one that was not is there or not, whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/task.h"
#include "replication/broker_set.h"

namespace rmq::roles::controller {

class ControllerStore {
 public:
  virtual ~ControllerStore() = default;

  // Once, before anything else; may wait. Errors: the store cannot be used, and is as it was.
  virtual Result<> open() = 0;

  // Whether other controllers change it too. Nobody is told of changes: it is listed again then.
  virtual bool is_shared() const = 0;

  // Nothing: there is no such set.
  virtual net::Task<Result<std::optional<replication::BrokerSet>>> load(std::string name) = 0;
  virtual net::Task<Result<std::vector<replication::BrokerSet>>> list() = 0;

  // Stores `next` if the version that is there (0: none) is the one before next.version. False:
  // somebody else was faster. Errors: whether it was stored is not known.
  virtual net::Task<Result<bool>> swap(replication::BrokerSet next) = 0;
  // Forgets the set if it has this version; otherwise as swap().
  virtual net::Task<Result<bool>> remove(std::string name, std::uint64_t version) = 0;
};

}  // namespace rmq::roles::controller
