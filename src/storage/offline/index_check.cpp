#include "storage/offline/index_check.h"

#include <algorithm>

namespace rmq::storage::offline {
namespace {

constexpr std::int32_t kEntriesPerRead = 4096;
constexpr std::size_t kSlotsPerRead = 64 * 1024;

}  // namespace

Harm IndexCheck::harm_of_file() const {
  const bool newest = file_index_ + 1 == survey_.index.size();
  return newest && survey_.unclean ? Harm::Note : Harm::Nothing;
}

void IndexCheck::add(Harm harm, std::int64_t position, std::string what) {
  if (harm != Harm::Note && !first_broken_) first_broken_ = file_index_;
  findings_.add(
      {FindingKind::Index, harm, survey_.index[file_index_].path, position, std::move(what)});
}

Result<> IndexCheck::open() {
  done_ = survey_.index.empty();
  if (done_ || survey_.index_shape) return {};
  done_ = true;
  const bool empty = std::all_of(survey_.index.begin(), survey_.index.end(),
                                 [](const auto& file) { return file.header.entry_count <= 1; });
  if (!empty) {
    add(Harm::Note, 0,
        "not checked: its numbers of slots and entries are not known; --config names the file "
        "with maxHashSlotNum and maxIndexNum");
  }
  return {};
}

// Makes file_index_ the file that is read; false when it cannot be.
Result<bool> IndexCheck::open_file() {
  const IndexFiles& file = survey_.index[file_index_];
  const IndexShape& shape = *survey_.index_shape;
  const IndexHeader& header = file.header;
  if (file.bytes != shape.file_bytes()) {
    add(Harm::Nothing, 0,
        std::to_string(file.bytes) + " bytes instead of " + std::to_string(shape.file_bytes()));
    return false;
  }
  const bool possible = header.entry_count <= shape.entries && header.slot_count >= 0 &&
                        header.slot_count < header.entry_count &&
                        header.begin_physical.value >= 0 &&
                        header.begin_physical <= header.end_physical;
  if (!possible) {
    add(harm_of_file(), 0, "the header cannot be");
    return false;
  }
  if (header.begin_physical < last_) add(Harm::Nothing, 0, "begins before the file before it ends");
  RMQ_TRY(file_, files_.open(file.path, OpenMode::Read));
  slots_.assign(static_cast<std::size_t>(shape.slots), 0);
  number_ = 0;
  slot_count_ = 0;
  buffer_first_ = buffer_count_ = 0;
  return true;
}

Result<bool> IndexCheck::next() {
  while (!done_) {
    if (!file_) {
      RMQ_TRY(const bool opened, open_file());
      if (!opened && ++file_index_ == survey_.index.size()) done_ = true;
      if (!opened) continue;
    }
    if (number_ + 1 >= survey_.index[file_index_].header.entry_count) {
      RMQ_CHECK(close_file());
      if (++file_index_ == survey_.index.size()) done_ = true;
      continue;
    }
    ++number_;
    if (number_ >= buffer_first_ + buffer_count_) {
      const auto bytes = static_cast<std::size_t>(kEntriesPerRead * kIndexEntryBytes);
      buffer_.assign(bytes, std::byte{0});
      const Result<std::size_t> got = file_->pread(buffer_, position());
      if (!got && got.error().code != std::errc::io_error) return fail(got.error());
      if (!got) add(Harm::Nothing, position(), "cannot be read");
      buffer_first_ = number_;
      buffer_count_ = kEntriesPerRead;
    }
    entry_ = decode_index_entry(buffer_.data() + (number_ - buffer_first_) * kIndexEntryBytes);
    take_entry();
    return true;
  }
  return false;
}

// Puts entry_ into the chain that it should be in.
void IndexCheck::take_entry() {
  ++entry_count_;
  if (number_ == 1) file_begin_ = entry_.physical;
  if (entry_.hash < 0 || entry_.seconds < 0) {
    add(harm_of_file(), position(), "entry " + std::to_string(number_) + " cannot be");
    return;
  }
  std::int32_t& slot = slots_[static_cast<std::size_t>(entry_.hash) % slots_.size()];
  if (entry_.previous != slot) {
    add(harm_of_file(), position(),
        "entry " + std::to_string(number_) + " follows " + std::to_string(entry_.previous) +
            " in its chain, not " + std::to_string(slot));
  }
  if (slot == 0) ++slot_count_;
  slot = number_;
}

Result<> IndexCheck::close_file() {
  const IndexHeader& header = survey_.index[file_index_].header;
  const IndexShape& shape = *survey_.index_shape;
  // Before 4.8 Java counted every entry.
  const bool counted =
      slot_count_ == header.slot_count || header.slot_count == header.entry_count - 1;
  if (!counted) {
    add(harm_of_file(), 32,
        "the header counts " + std::to_string(header.slot_count) + " slots in use; there are " +
            std::to_string(slot_count_));
  }
  const bool bounds = header.entry_count <= 1 ||
                      (header.begin_physical == file_begin_ && header.end_physical == last_);
  if (!bounds) add(harm_of_file(), 16, "the header names other records than the entries do");
  Bytes bytes(kSlotsPerRead * 4);
  std::int64_t wrong = 0;
  std::size_t first = 0;
  for (std::size_t slot = 0; slot < slots_.size();) {
    const std::size_t count = std::min(kSlotsPerRead, slots_.size() - slot);
    RMQ_TRY(const std::size_t got, file_->pread(MutableByteView(bytes).first(count * 4),
                                                shape.slot_at(static_cast<std::int32_t>(slot))));
    for (std::size_t i = 0; i < got / 4; ++i) {
      const auto stored = load_big_endian<std::int32_t>(bytes.data() + i * 4);
      if (stored == slots_[slot + i]) continue;
      if (wrong++ == 0) first = slot + i;
    }
    slot += count;
  }
  if (wrong > 0) {
    add(harm_of_file(), shape.slot_at(static_cast<std::int32_t>(first)),
        std::to_string(wrong) + " slots do not name their newest entry, from slot " +
            std::to_string(first) + " on");
  }
  file_.reset();
  return {};
}

void IndexCheck::check_order() {
  const PhysicalOffset end = survey_.index[file_index_].header.end_physical;
  if (entry_.physical >= last_ && entry_.physical <= end) {
    last_ = entry_.physical;
    return;
  }
  add(harm_of_file(), position(),
      "entry " + std::to_string(number_) + " is of the record at " +
          std::to_string(entry_.physical.value) + ": out of order");
  ready_ = false;
}

// Whether entry_ is the next one, in order; not at the end.
Result<bool> IndexCheck::make_ready() {
  while (!ready_) {
    RMQ_TRY(ready_, next());
    if (!ready_) return false;
    check_order();
  }
  return true;
}

Result<> IndexCheck::on_record(const protocol::MessageRecord& record) {
  bool has_keys = false;
  for (;;) {
    RMQ_TRY(const bool more, make_ready());
    if (!more) return {};
    if (entry_.physical > record.physical_offset) return {};
    ready_ = false;
    if (entry_.physical < record.physical_offset) {
      if (entry_.physical < log_begin_) continue;
      add(Harm::Nothing, position(),
          "entry " + std::to_string(number_) + " is of " + std::to_string(entry_.physical.value) +
              ", where no sound record begins");
      continue;
    }
    if (!std::exchange(has_keys, true)) {
      keys_.clear();
      append_index_keys(record, keys_);
    }
    const bool known = std::any_of(keys_.begin(), keys_.end(),
                                   [this](const IndexKey& key) { return key.hash == entry_.hash; });
    if (known) continue;
    add(Harm::Nothing, position(),
        "entry " + std::to_string(number_) + ": the record at " +
            std::to_string(entry_.physical.value) + " has no key of its hash");
  }
}

Result<> IndexCheck::finish(PhysicalOffset log_end) {
  std::int64_t beyond = 0;
  for (;;) {
    RMQ_TRY(const bool more, make_ready());
    if (!more) return {};
    ready_ = false;
    if (entry_.physical < log_begin_) continue;
    const bool behind = entry_.physical >= log_end;
    if (behind && beyond++ > 0) continue;
    add(behind && survey_.unclean ? Harm::Note : Harm::Nothing, position(),
        "entry " + std::to_string(number_) + " is of " + std::to_string(entry_.physical.value) +
            (behind ? ", behind the end of the log" : ", where no sound record begins"));
  }
}

}  // namespace rmq::storage::offline
