// SlotTable: the hash slots of the index file that is being written, page by page in memory.
// A new key changes a slot anywhere in the table, so that writing each change would cost a system
// call per key, and syncing often the whole table each time. Here a page is read when one of its
// slots is first changed, and all changed pages are written together, rarely. Until then the file
// has the slots of the last write_back(); they can be made again from the entries.
// Threads: one at a time. Memory: at most the size of the table, none after release().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/file_system.h"

namespace rmq::storage {

class SlotTable {
 public:
  // `file_at`: where the table begins in its file. `fresh`: nothing was ever written there.
  SlotTable(std::int32_t slots, std::int64_t file_at, bool fresh);

  // A hint that the slot is changed soon.
  void prefetch(std::int32_t slot) const {
    const auto number = static_cast<std::size_t>(slot);
    const std::unique_ptr<Page>& page = pages_[number / kPageSlots];
    if (page) __builtin_prefetch(page->bytes.data() + number % kPageSlots * 4);
  }
  // Changes a slot; what it was before.
  Result<std::int32_t> exchange(File& file, std::int32_t slot, std::int32_t value);
  Result<std::int32_t> get(File& file, std::int32_t slot) const;
  // Replaces the whole table; what the file has already need not be written again.
  Result<> assign(File& file, std::span<const std::int32_t> values);

  bool dirty() const { return dirty_; }
  // Writes what has changed, neighbouring pages together.
  Result<> write_back(File& file);
  // Gives the memory back; nothing may be dirty.
  void release();

 private:
  static constexpr std::size_t kPageSlots = 1024;
  struct Page {
    std::array<std::byte, kPageSlots * 4> bytes{};  // as in the file
    bool dirty = false;
  };

  std::size_t page_bytes(std::size_t page) const;
  std::int64_t page_at(std::size_t page) const;
  Result<> load(File& file, std::size_t page);

  const std::int32_t slots_;
  const std::int64_t file_at_;
  bool fresh_;
  bool dirty_ = false;
  std::vector<std::unique_ptr<Page>> pages_;
};

}  // namespace rmq::storage
