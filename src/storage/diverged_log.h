// The part of a log that another one does not have, kept before the log is cut.
// Format, ours: rmq/diverged/<from>-<to>-<time>, the bytes of the log in [from, to) as they lay
// there, blanks between segments too. The name has both physical offsets, 20 digits each, and the
// local time, yyyyMMddHHmmssSSS; .2, .3, ... follow when there is such a file. storage/offline/
// diverged.h reads them.
// Threads: free functions.
// Crash: a name without .part is that of a file that is whole and on disk.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/units.h"
#include "storage/commit_log.h"

namespace rmq::storage {

// Nobody writes to [from, to). The path of the file, which is on disk. Errors: I/O, and then there
// is no file.
Result<std::string> keep_diverged(FileSystem& files, const CommitLog& log,
                                  const std::string& directory, PhysicalOffset from,
                                  PhysicalOffset to, std::int64_t now_ms);

}  // namespace rmq::storage
