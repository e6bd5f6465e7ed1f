// IndexCheck: the message index in itself (header, chains) and against the log: each entry is of a
// record that the log has, with a key of that hash. In one pass over the log, because entries are
// in its order. That each key has its entry is not checked: an index may be switched off for a
// while.
// Threads: one. Memory: the slots of one file, 4 bytes each.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "protocol/message_record.h"
#include "storage/index_keys.h"
#include "storage/offline/finding.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

class IndexCheck {
 public:
  // All must outlive it.
  IndexCheck(FileSystem& files, const Survey& survey, Findings& findings)
      : files_(files), survey_(survey), findings_(findings), log_begin_(survey.log_begin()) {}

  // Before the first record.
  Result<> open();
  // Each sound record, in log order.
  Result<> on_record(const protocol::MessageRecord& record);
  Result<> finish(PhysicalOffset log_end);

  std::int64_t entry_count() const { return entry_count_; }
  // The first file, counted in the survey, that must be made again, with all behind it.
  std::optional<std::size_t> first_broken() const { return first_broken_; }

 private:
  // Loads the next entry into entry_; false when there is none.
  Result<bool> next();
  Result<bool> open_file();
  Result<> close_file();
  void take_entry();
  Result<bool> make_ready();
  void check_order();
  void add(Harm harm, std::int64_t position, std::string what);
  // What a crash leaves in the newest file is put right by the next start.
  Harm harm_of_file() const;
  std::int64_t position() const { return survey_.index_shape->entry_at(number_); }

  FileSystem& files_;
  const Survey& survey_;
  Findings& findings_;
  const PhysicalOffset log_begin_;

  bool ready_ = false;  // entry_ is the next one
  bool done_ = false;
  IndexEntry entry_;
  std::size_t file_index_ = 0;
  std::unique_ptr<File> file_;
  std::int32_t number_ = 0;  // of entry_
  PhysicalOffset last_;      // of the entry before
  PhysicalOffset file_begin_;
  std::int32_t slot_count_ = 0;
  std::vector<std::int32_t> slots_;
  Bytes buffer_;
  std::int32_t buffer_first_ = 0;
  std::int32_t buffer_count_ = 0;

  std::vector<IndexKey> keys_;
  std::int64_t entry_count_ = 0;
  std::optional<std::size_t> first_broken_;
};

}  // namespace rmq::storage::offline
