#include "storage/slot_table.h"

#include <algorithm>

#include "base/assert.h"

namespace rmq::storage {
namespace {

constexpr std::size_t kSlotBytes = 4;

}  // namespace

SlotTable::SlotTable(std::int32_t slots, std::int64_t file_at, bool fresh)
    : slots_(slots),
      file_at_(file_at),
      fresh_(fresh),
      pages_((static_cast<std::size_t>(slots) + kPageSlots - 1) / kPageSlots) {}

std::size_t SlotTable::page_bytes(std::size_t page) const {
  const std::size_t left = static_cast<std::size_t>(slots_) - page * kPageSlots;
  return std::min(left, kPageSlots) * kSlotBytes;
}

std::int64_t SlotTable::page_at(std::size_t page) const {
  return file_at_ + static_cast<std::int64_t>(page * kPageSlots * kSlotBytes);
}

Result<> SlotTable::load(File& file, std::size_t page) {
  auto loaded = std::make_unique<Page>();
  if (!fresh_) {
    const MutableByteView into = MutableByteView(loaded->bytes).first(page_bytes(page));
    RMQ_TRY([[maybe_unused]] const std::size_t got, file.pread(into, page_at(page)));
  }
  pages_[page] = std::move(loaded);
  return {};
}

Result<std::int32_t> SlotTable::exchange(File& file, std::int32_t slot, std::int32_t value) {
  const auto number = static_cast<std::size_t>(slot);
  const std::size_t page = number / kPageSlots;
  if (!pages_[page]) RMQ_CHECK(load(file, page));
  std::byte* const at = pages_[page]->bytes.data() + number % kPageSlots * kSlotBytes;
  const auto before = load_big_endian<std::int32_t>(at);
  store_big_endian(at, value);
  pages_[page]->dirty = true;
  dirty_ = true;
  return before;
}

Result<std::int32_t> SlotTable::get(File& file, std::int32_t slot) const {
  const auto number = static_cast<std::size_t>(slot);
  const std::unique_ptr<Page>& page = pages_[number / kPageSlots];
  if (page) {
    return load_big_endian<std::int32_t>(page->bytes.data() + number % kPageSlots * kSlotBytes);
  }
  std::array<std::byte, kSlotBytes> bytes{};
  if (!fresh_) {
    const auto at = file_at_ + static_cast<std::int64_t>(number * kSlotBytes);
    RMQ_TRY([[maybe_unused]] const std::size_t got, file.pread(bytes, at));
  }
  return load_big_endian<std::int32_t>(bytes.data());
}

Result<> SlotTable::assign(File& file, std::span<const std::int32_t> values) {
  RMQ_ASSERT(values.size() == static_cast<std::size_t>(slots_));
  dirty_ = false;
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    RMQ_CHECK(load(file, page));
    Page wanted;
    std::byte* at = wanted.bytes.data();
    for (const std::int32_t value :
         values.subspan(page * kPageSlots, page_bytes(page) / kSlotBytes)) {
      store_big_endian(at, value);
      at += kSlotBytes;
    }
    if (wanted.bytes == pages_[page]->bytes) {
      pages_[page].reset();
      continue;
    }
    wanted.dirty = dirty_ = true;
    *pages_[page] = wanted;
  }
  return {};
}

Result<> SlotTable::write_back(File& file) {
  std::vector<ByteView> parts;
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    const std::size_t first = page;
    parts.clear();
    for (; page < pages_.size() && pages_[page] && pages_[page]->dirty; ++page) {
      parts.push_back(ByteView(pages_[page]->bytes).first(page_bytes(page)));
    }
    if (parts.empty()) continue;
    RMQ_CHECK(file.pwritev(parts, page_at(first)));
    for (std::size_t written = first; written < page; ++written) pages_[written]->dirty = false;
  }
  dirty_ = false;
  return {};
}

void SlotTable::release() {
  RMQ_ASSERT(!dirty_);
  for (std::unique_ptr<Page>& page : pages_) page.reset();
  fresh_ = false;
}

}  // namespace rmq::storage
