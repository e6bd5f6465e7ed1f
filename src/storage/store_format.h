// What a store directory must not be: kinds of Java stores whose queues rmq cannot read. Opened as
// if they were ordinary ones they would look empty.
// Threads: any.
#pragma once

#include "base/file_system.h"
#include "storage/layout.h"

namespace rmq::storage {

// Error: StoreErrc::NotSupported, which says what was found and what to do about it.
Result<> check_store_format(FileSystem& files, const Layout& layout);

}  // namespace rmq::storage
