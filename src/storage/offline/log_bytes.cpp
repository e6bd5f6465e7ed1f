#include "storage/offline/log_bytes.h"

#include <algorithm>

namespace rmq::storage::offline {
namespace {

constexpr std::size_t kBlockBytes = 4096;

}  // namespace

PhysicalOffset LogBytes::segment_end(PhysicalOffset at) const {
  const PositionFile* segment = survey_.segment_of(at);
  return segment == nullptr ? at : PhysicalOffset{segment->position + survey_.segment_bytes};
}

Result<> LogBytes::open(PhysicalOffset at) {
  const bool same = segment_ != nullptr && at.value >= segment_->position &&
                    at.value < segment_->position + survey_.segment_bytes;
  if (same) return {};
  file_.reset();
  filled_ = 0;
  segment_ = survey_.segment_of(at);
  if (segment_ == nullptr) return {};
  RMQ_TRY(file_, files_.open(survey_.segment_path(segment_->position), OpenMode::Read));
  return {};
}

Result<ByteView> LogBytes::view(PhysicalOffset at, std::size_t want) {
  RMQ_CHECK(open(at));
  if (segment_ == nullptr) return ByteView();
  const std::int64_t in_file = at.value - segment_->position;
  const std::int64_t length = std::min(segment_->bytes, survey_.segment_bytes);
  if (in_file >= length) return ByteView();
  want = std::min(want, static_cast<std::size_t>(length - in_file));
  const bool there =
      filled_ > 0 && at >= begin_ &&
      at + static_cast<std::int64_t>(want) <= begin_ + static_cast<std::int64_t>(filled_);
  if (!there) {
    const std::size_t size =
        std::min(std::max(want, window_bytes_), static_cast<std::size_t>(length - in_file));
    bytes_.resize(std::max(size, std::min(bytes_.size(), window_bytes_)));
    if (bytes_.capacity() > 2 * std::max(size, window_bytes_)) bytes_.shrink_to_fit();
    begin_ = at;
    filled_ = 0;
    RMQ_TRY(filled_, read(MutableByteView(bytes_).first(size), in_file));
  }
  const auto skip = static_cast<std::size_t>(at - begin_);
  return ByteView(bytes_).first(filled_).subspan(std::min(skip, filled_));
}

Result<std::size_t> LogBytes::read(MutableByteView into, std::int64_t at) {
  const Result<std::size_t> got = file_->pread(into, at);
  if (got || got.error().code != std::errc::io_error) return got;
  return read_by_block(into, at);
}

Result<std::size_t> LogBytes::read_by_block(MutableByteView into, std::int64_t at) {
  for (std::size_t done = 0; done < into.size();) {
    const std::size_t part = std::min(kBlockBytes, into.size() - done);
    const MutableByteView block = into.subspan(done, part);
    const std::int64_t from = at + static_cast<std::int64_t>(done);
    const Result<std::size_t> got = file_->pread(block, from);
    if (got && *got < part) return done + *got;
    if (!got) {
      if (got.error().code != std::errc::io_error) return got;
      std::fill(block.begin(), block.end(), std::byte{0});
      unreadable_.push_back(PhysicalOffset{segment_->position + from});
    }
    done += part;
  }
  return into.size();
}

Result<PhysicalOffset> LogBytes::next_data(PhysicalOffset at) {
  RMQ_CHECK(open(at));
  if (segment_ == nullptr) return at;
  const PhysicalOffset end = segment_end(at);
  RMQ_TRY(const std::optional<std::int64_t> data, file_->next_data(at.value - segment_->position));
  return data ? std::min(end, PhysicalOffset{segment_->position + *data}) : end;
}

}  // namespace rmq::storage::offline
