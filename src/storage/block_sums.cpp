#include "storage/block_sums.h"

#include <xxhash.h>

#include <algorithm>

#include "storage/layout.h"

namespace rmq::storage {
namespace {

constexpr std::int64_t kSumBytes = 4;

std::uint32_t sum_of(ByteView block) {
  const auto sum = static_cast<std::uint32_t>(XXH3_64bits(block.data(), block.size()));
  return sum == 0 ? 1 : sum;
}

}  // namespace

PhysicalOffset BlockSums::block_begin(PhysicalOffset at) const {
  const std::int64_t base = base_of(at);
  return PhysicalOffset{base + (at.value - base) / kBlockBytes * kBlockBytes};
}

PhysicalOffset BlockSums::block_end(PhysicalOffset at) const {
  const PhysicalOffset segment_end{base_of(at) + segment_bytes_};
  return std::min(block_begin(at) + kBlockBytes, segment_end);
}

std::string BlockSums::path_of(std::int64_t base) const {
  return directory_ + "/" + position_file_name(base);
}

Result<bool> BlockSums::open(std::int64_t base, Missing missing) {
  if (base == base_ && file_ && (writable_ || missing == Missing::Skip)) return true;
  base_ = base;
  file_.reset();
  writable_ = missing == Missing::Add;
  if (writable_) {
    RMQ_CHECK(files_.make_directories(directory_, SyncParents::No));
    RMQ_TRY(file_, files_.open(path_of(base), OpenMode::Create));
    return true;
  }
  Result<std::unique_ptr<File>> there = files_.open(path_of(base), OpenMode::Read);
  if (!there && there.error().code == std::errc::no_such_file_or_directory) return false;
  RMQ_TRY(file_, std::move(there));
  return true;
}

Result<std::vector<PhysicalOffset>> BlockSums::check(ByteView bytes, PhysicalOffset at,
                                                     Missing missing) {
  std::vector<PhysicalOffset> different;
  RMQ_TRY(const bool there, open(base_of(at), missing));
  if (!there) return different;
  RMQ_ASSERT(at == block_begin(at));
  const auto size = static_cast<std::int64_t>(bytes.size());
  const std::int64_t first = (at.value - base_) / kBlockBytes;
  const auto count = static_cast<std::size_t>((size + kBlockBytes - 1) / kBlockBytes);
  Bytes sums(count * kSumBytes);
  RMQ_TRY([[maybe_unused]] const std::size_t got, file_->pread(sums, first * kSumBytes));
  bool added = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * kBlockBytes;
    const ByteView block =
        bytes.subspan(begin, std::min<std::size_t>(kBlockBytes, bytes.size() - begin));
    std::byte* const known = sums.data() + i * kSumBytes;
    const std::uint32_t sum = sum_of(block);
    const auto kept = load_big_endian<std::uint32_t>(known);
    if (kept == sum) continue;
    if (kept != 0) {
      different.push_back(at + static_cast<std::int64_t>(begin));
    } else if (missing == Missing::Add) {
      store_big_endian(known, sum);
      added = true;
    }
  }
  if (added) RMQ_CHECK(file_->pwrite(sums, first * kSumBytes));
  return different;
}

// Names that are none of ours are left alone.
Result<std::vector<std::int64_t>> BlockSums::bases() const {
  std::vector<std::int64_t> found;
  RMQ_TRY(const std::vector<std::string> names, files_.list(directory_));
  for (const std::string& name : names) {
    const Result<std::int64_t> base = parse_position_file_name(directory_, name);
    if (base) found.push_back(*base);
  }
  return found;
}

Result<> BlockSums::cut(PhysicalOffset end) {
  file_.reset();
  RMQ_TRY(const std::vector<std::int64_t> found, bases());
  for (const std::int64_t base : found) {
    if (base >= end.value) {
      RMQ_CHECK(files_.remove(path_of(base)));
    } else if (base == base_of(end)) {
      const std::int64_t kept = (end.value - base) / kBlockBytes * kSumBytes;
      RMQ_TRY(const std::unique_ptr<File> file, files_.open(path_of(base), OpenMode::Write));
      RMQ_TRY(const std::int64_t length, file->size());
      if (length > kept) {
        RMQ_CHECK(file->truncate(kept));
      }
      RMQ_CHECK(file->sync_data());
    }
  }
  // Also when nothing changed: a process that was killed may have done it, and not put it on disk.
  RMQ_TRY(const bool there, files_.exists(directory_));
  return there ? files_.sync_directory(directory_) : Result<>();
}

Result<> BlockSums::drop_before(PhysicalOffset begin) {
  RMQ_TRY(const std::vector<std::int64_t> found, bases());
  for (const std::int64_t base : found) {
    if (base + segment_bytes_ > begin.value) continue;
    if (base == base_) file_.reset();
    RMQ_CHECK(files_.remove(path_of(base)));
  }
  return {};
}

Result<> BlockSums::forget_all() {
  file_.reset();
  RMQ_TRY(const bool there, files_.exists(directory_));
  if (!there) return {};
  RMQ_CHECK(files_.remove_all(directory_));
  return files_.sync_directory(parent_directory(directory_));
}

}  // namespace rmq::storage
