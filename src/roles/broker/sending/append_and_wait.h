// Storing a message outside a read turn: appends it and waits for what topic and broker ask for, as
// AppendTurn does for sends. Threads: any io thread; resumes on the same.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "net/task.h"
#include "roles/broker/table_version.h"
#include "storage/append_batch.h"

namespace rmq::roles::broker {

class Broker;

// Returns `batch` with its offsets. `topic_saved`: the version of the topic table that must be on
// disk too. Errors: the store's; NetErrc::TimedOut, stored but not flushed after syncFlushTimeout.
net::Task<Result<std::unique_ptr<storage::AppendBatch>>> append_and_wait(
    Broker& broker, std::unique_ptr<storage::AppendBatch> batch,
    std::optional<TableVersion> topic_saved);

}  // namespace rmq::roles::broker
