// DeletedMessages: up to which place in the log the messages of deleted topics are gone. The log
// still has them, and consume queues can be rebuilt from it; so this has to be remembered. A queue
// of a topic that is made again goes on counting where it was.
// Format (ours alone, rmq/deleted-messages.json): {topic:physical offset}.
// Threads: one at a time. Crash: the file is replaced as a whole, or not.
#pragma once

#include <map>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "base/units.h"

namespace rmq::storage {

class DeletedMessages {
 public:
  // Errors: I/O; StoreErrc::Corrupt for a file that cannot be read.
  static Result<DeletedMessages> load(FileSystem& files, std::string path);

  // By topic: its first message that is not deleted lies here or later.
  const std::map<std::string, PhysicalOffset>& ends() const { return ends_; }
  void note(const std::string& topic, PhysicalOffset end) { ends_[topic] = end; }
  // The log ends at `log_end`: what it lost, and what is written there next, was not deleted. True
  // when that changed something, which must be saved before the log grows.
  bool clamp(PhysicalOffset log_end);
  // Waits for the disk.
  Result<> save() const;

 private:
  DeletedMessages(FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}

  FileSystem* files_;
  std::string path_;
  std::map<std::string, PhysicalOffset> ends_;
};

}  // namespace rmq::storage
