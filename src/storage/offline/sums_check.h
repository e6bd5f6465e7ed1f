// SumsCheck: the blocks of the log against their checksums, where they have one, while somebody
// else goes along the log record by record. It tells which messages a changed block is part of.
// Threads: one.
#pragma once

#include <vector>

#include "storage/block_sums.h"
#include "storage/offline/finding.h"
#include "storage/offline/log_bytes.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

class SumsCheck {
 public:
  SumsCheck(FileSystem& files, LogBytes& log, const Survey& survey, Findings& findings);

  // Everything before `end` was looked at; nothing of it is views into `log` any more. `sound`: a
  // record that begins at `begin` and may be read. In log order; an empty range is the log's end.
  Result<> on_passed(PhysicalOffset begin, PhysicalOffset end, bool sound);

 private:
  struct Passed {
    PhysicalOffset begin;
    PhysicalOffset end;
    bool sound = false;
  };

  Result<> check(PhysicalOffset end);
  void report(PhysicalOffset block);

  LogBytes& log_;
  const Survey& survey_;
  Findings& findings_;
  BlockSums sums_;
  bool known_ = false;          // sums are of this log
  PhysicalOffset checked_;      // blocks before it
  std::vector<Passed> passed_;  // since then
};

}  // namespace rmq::storage::offline
