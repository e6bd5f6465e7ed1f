// The files of rmq/diverged (storage/diverged_log.h): what a log had and its master's had not.
// Nothing but a file's name is changed; a server may run meanwhile.
// Threads: one. Memory: one record at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "base/units.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

struct DivergedFile {
  std::string path;
  PhysicalOffset from;  // of the log
  PhysicalOffset to;
  // When, local time, yyyyMMddHHmmssSSS.
  std::string time;
  bool sent = false;  // its messages were sent again: note_sent()
};

// By position and time. What has another name is left out. Error: I/O.
Result<std::vector<DivergedFile>> list_diverged(FileSystem& files, const StorePlace& place);

// Shows each record, encoded, in order, until `visit` fails. Errors: those of `visit`;
// StoreErrc::RecordMalformed or WrongFileSize, naming file and position; I/O.
Result<> read_diverged(FileSystem& files, const DivergedFile& file,
                       const std::function<Result<>(ByteView)>& visit);

// Renames the file, so that it counts as sent from now on.
Result<> note_sent(FileSystem& files, const DivergedFile& file);

}  // namespace rmq::storage::offline
