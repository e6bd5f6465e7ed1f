#include "storage/offline/sums_check.h"

#include <algorithm>

namespace rmq::storage::offline {
namespace {

constexpr std::int64_t kCheckBytes = 64 * 1024;

}  // namespace

SumsCheck::SumsCheck(FileSystem& files, LogBytes& log, const Survey& survey, Findings& findings)
    : log_(log),
      survey_(survey),
      findings_(findings),
      sums_(files, survey.layout.checksums(), survey.segment_bytes),
      known_(survey.mark.has_value()),
      checked_(survey.log_begin()) {}

Result<> SumsCheck::on_passed(PhysicalOffset begin, PhysicalOffset end, bool sound) {
  if (!known_) return {};
  passed_.push_back({begin, end, sound});
  const bool at_end = begin == end || end == log_.segment_end(begin);
  if (end - checked_ < kCheckBytes && !at_end) return {};
  RMQ_CHECK(check(end));
  std::erase_if(passed_, [this](const Passed& passed) { return passed.end <= checked_; });
  return {};
}

// The blocks that end by `end`. A segment may be missing in between.
Result<> SumsCheck::check(PhysicalOffset end) {
  while (checked_ < end) {
    const PositionFile* segment = survey_.segment_of(checked_);
    if (segment == nullptr) {
      checked_ = PhysicalOffset{survey_.segment_of(end - 1)->position};
      continue;
    }
    const PhysicalOffset segment_end = log_.segment_end(checked_);
    const PhysicalOffset to = end < segment_end ? sums_.block_begin(end) : segment_end;
    if (to <= checked_) return {};
    const auto want = static_cast<std::size_t>(std::min<std::int64_t>(to - checked_, kCheckBytes));
    RMQ_TRY(ByteView bytes, log_.view(checked_, want));
    if (bytes.size() < want) return {};  // a file that is too short
    RMQ_TRY(const std::vector<PhysicalOffset> different,
            sums_.check(bytes.first(want), checked_, BlockSums::Missing::Skip));
    for (const PhysicalOffset block : different) report(block);
    checked_ += static_cast<std::int64_t>(want);
  }
  return {};
}

// Unless all of it belongs to what is known to be damaged anyway.
void SumsCheck::report(PhysicalOffset block) {
  const PhysicalOffset end = sums_.block_end(block);
  std::string records;
  for (const Passed& passed : passed_) {
    if (passed.end <= block || passed.begin >= end || !passed.sound) continue;
    records += (records.empty() ? "" : ", ") + std::to_string(passed.begin.value);
  }
  if (records.empty()) return;
  const PositionFile* segment = survey_.segment_of(block);
  findings_.add({FindingKind::Checksum, Harm::Nothing, survey_.segment_path(segment->position),
                 block.value,
                 std::to_string(end - block) +
                     " bytes are not those that were written; messages are delivered as they are "
                     "there now: at " +
                     records});
}

}  // namespace rmq::storage::offline
