#include "storage/log_window.h"

#include <algorithm>
#include <string>

#include "storage/store_errc.h"

namespace rmq::storage {

Result<ByteView> LogWindow::at(PhysicalOffset at, std::size_t wanted) {
  if (!segment_ || at < segment_->base() || at >= segment_->end()) {
    segment_ = log_.segment_of(at);
    size_ = 0;
    if (!segment_) return fail(StoreErrc::OffsetOutOfRange, std::to_string(at.value));
    end_ = segment_->end();
  }
  wanted = std::min(wanted, left(at));
  const auto skipped = static_cast<std::size_t>(at - from_);
  if (size_ > 0 && at >= from_ && skipped + wanted <= size_) {
    return ByteView(buffer_).first(size_).subspan(skipped);
  }
  const std::size_t size = std::min(std::max(wanted, ahead_), left(at));
  if (buffer_.size() < size) buffer_.resize(size);
  size_ = 0;
  RMQ_TRY(const std::shared_ptr<File> file, segment_->file());
  RMQ_TRY(const std::size_t got,
          file->pread(MutableByteView(buffer_).first(size), at - segment_->base()));
  if (got < wanted) {
    return fail(StoreErrc::WrongFileSize,
                segment_->path() + " ends before its byte " +
                    std::to_string(at - segment_->base() + static_cast<std::int64_t>(wanted)));
  }
  from_ = at;
  size_ = got;
  return ByteView(buffer_).first(size_);
}

Result<protocol::RecordScan> LogWindow::record(PhysicalOffset at, protocol::CheckBody check) {
  RMQ_TRY(ByteView bytes, this->at(at, protocol::kRecordBytesMin));
  if (bytes.size() >= protocol::kBlankRecordBytes) {
    const auto size = load_big_endian<std::int32_t>(bytes.data() + protocol::kRecordSizeAt);
    const auto magic = load_big_endian<std::uint32_t>(bytes.data() + protocol::kRecordMagicAt);
    const bool fits = size >= static_cast<std::int32_t>(protocol::kBlankRecordBytes) &&
                      static_cast<std::size_t>(size) <= left(at);
    if (fits && magic == protocol::kMagicBlank) {
      return protocol::RecordScan{
          protocol::RecordScan::Kind::Blank, static_cast<std::size_t>(size), {}};
    }
    // What does not name its own place is no record, and its size may be anything.
    if (fits && bytes.size() >= protocol::kRecordBytesMin &&
        load_big_endian<std::int64_t>(bytes.data() + protocol::kRecordPhysicalOffsetAt) ==
            at.value) {
      RMQ_TRY(bytes, this->at(at, static_cast<std::size_t>(size)));
    }
  }
  return protocol::scan_record(bytes, at, check);
}

}  // namespace rmq::storage
