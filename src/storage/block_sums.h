// BlockSums: a checksum of every block of the commit log, kept beside it, because Java's format has
// one of the message body only. Derived data: Java does not look at it, and it may be deleted.
// Format, ours: rmq/checksums/<name of the segment>, a big-endian u32 for each 512 bytes of the
// segment, in order: the low half of XXH3-64 of them, 1 where that is 0; 0: not known. A block is
// summed once all of it is on disk, after which nobody writes there any more.
// Threads: one at a time.
// Crash: sums are not synced. One that is there is right: only what was on disk has one, cut()
// removes those of what the log has lost, and no machine tears an aligned word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/units.h"

namespace rmq::storage {

class BlockSums {
 public:
  static constexpr std::int64_t kBlockBytes = 512;

  BlockSums(FileSystem& files, std::string directory, std::int64_t segment_bytes)
      : files_(files), directory_(std::move(directory)), segment_bytes_(segment_bytes) {}

  // What becomes of blocks that have no sum.
  enum class Missing { Skip, Add };
  // `bytes` lie at `at` in the log, where a block begins; they end with a block, and in the same
  // segment. Where the blocks are that have another sum.
  Result<std::vector<PhysicalOffset>> check(ByteView bytes, PhysicalOffset at, Missing missing);

  // The log ends at `end`: blocks that reach beyond it have no sum any more, also after a crash.
  Result<> cut(PhysicalOffset end);
  // Segments that end by `begin` are gone.
  Result<> drop_before(PhysicalOffset begin);
  Result<> forget_all();

  // The block that has the byte at `at`; the last one of a segment may be short.
  PhysicalOffset block_begin(PhysicalOffset at) const;
  PhysicalOffset block_end(PhysicalOffset at) const;

 private:
  std::int64_t base_of(PhysicalOffset at) const {
    return at.value / segment_bytes_ * segment_bytes_;
  }
  std::string path_of(std::int64_t base) const;
  Result<std::vector<std::int64_t>> bases() const;
  // False when there is no such file, and it is not to be made.
  Result<bool> open(std::int64_t base, Missing missing);

  FileSystem& files_;
  const std::string directory_;
  const std::int64_t segment_bytes_;

  std::unique_ptr<File> file_;  // of the segment at base_
  std::int64_t base_ = -1;
  bool writable_ = false;
};

}  // namespace rmq::storage
