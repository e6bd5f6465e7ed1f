// repair(): carries a RepairPlan out.
// Order, so that it can be killed anywhere and be done again: the damaged bytes are saved and on
// disk before the log is touched; the log is on disk before our log mark goes, which names a record
// that may have changed; then the queues are spoilt in a way that makes every start build them from
// the log, and index files are removed, the newest first. reopen() is such a start.
// Threads: one. Memory: one record.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "storage/offline/repair_plan.h"

namespace rmq::storage::offline {

// Whoever calls it holds the lock. The paths of the files with the bytes that were in the way,
// rmq/damaged/<place in the log, 20 digits>. Errors: I/O.
Result<std::vector<std::string>> repair(FileSystem& files, const Survey& survey,
                                        const RepairPlan& plan);

// Opens the store, which makes queues from the log, and stops it; nothing is deleted for its age.
// Without the lock. Errors: those of MessageStore::open().
Result<> reopen(FileSystem& files, const StorePlace& place, const Survey& survey);

}  // namespace rmq::storage::offline
