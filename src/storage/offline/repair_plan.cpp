#include "storage/offline/repair_plan.h"

#include <algorithm>
#include <optional>
#include <set>

#include "storage/placeholder.h"

namespace rmq::storage::offline {
namespace {

using Kind = PlannedRecord::Kind;

constexpr std::string_view kFillerTopic = "RMQ";
constexpr std::int64_t kFillerBytesMax = 1024 * 1024;

std::int64_t bytes_min(std::string_view topic) {
  return static_cast<std::int64_t>(placeholder_bytes_min(topic));
}

std::string text_of(const LostMessage& lost) {
  return "message " + std::to_string(lost.number.value) + " of " +
         queue_text(lost.topic, lost.queue_id);
}

// Fills one damaged range with records that have no gap between them.
class RangeFiller {
 public:
  RangeFiller(const DamagedRange& range, bool ends_segment)
      : range_(range), ends_segment_(ends_segment), cursor_(range.from) {}

  // In log order: those whose place is known, and the others. False when something did not fit;
  // then records() is of no use.
  bool fill(const std::vector<const LostMessage*>& placed,
            const std::vector<const LostMessage*>& loose);
  std::vector<PlannedRecord>& records() { return records_; }

 private:
  void add(Kind kind, std::int64_t size, const LostMessage* lost);
  bool fill_up_to(PhysicalOffset end, bool last);
  bool place(const LostMessage& lost, PhysicalOffset limit);

  const DamagedRange& range_;
  const bool ends_segment_;
  PhysicalOffset cursor_;
  std::vector<const LostMessage*> loose_;
  std::size_t next_loose_ = 0;
  std::vector<PlannedRecord> records_;
};

void RangeFiller::add(Kind kind, std::int64_t size, const LostMessage* lost) {
  PlannedRecord record;
  record.kind = kind;
  record.at = cursor_;
  record.size = size;
  record.topic = lost != nullptr ? lost->topic : std::string(kFillerTopic);
  record.queue_id = lost != nullptr ? lost->queue_id : 0;
  record.number = lost != nullptr ? lost->number : QueueOffset{};
  record.timestamp_ms = range_.timestamp_ms;
  records_.push_back(std::move(record));
  cursor_ += size;
}

// Loose messages first, each as small as it can be; then fillers. What is too small for a filler
// makes the record before it longer. False: it stays for the one behind.
bool RangeFiller::fill_up_to(PhysicalOffset end, bool last) {
  while (next_loose_ < loose_.size() && end - cursor_ >= bytes_min(loose_[next_loose_]->topic)) {
    const LostMessage* lost = loose_[next_loose_++];
    add(Kind::Placeholder, bytes_min(lost->topic), lost);
  }
  std::int64_t left = end - cursor_;
  if (left == 0) return true;
  if (last && ends_segment_ && left >= static_cast<std::int64_t>(protocol::kBlankRecordBytes)) {
    add(Kind::Blank, left, nullptr);
    return true;
  }
  const std::int64_t least = bytes_min(kFillerTopic);
  for (; left > kFillerBytesMax + least; left = end - cursor_) {
    add(Kind::Filler, kFillerBytesMax, nullptr);
  }
  if (left >= least) {
    add(Kind::Filler, left, nullptr);
    return true;
  }
  if (records_.empty()) return false;
  records_.back().size += left;
  cursor_ = end;
  return true;
}

bool RangeFiller::place(const LostMessage& lost, PhysicalOffset limit) {
  if (*lost.at < cursor_) return false;
  // Where nothing fits in front of it, it begins earlier.
  (void)fill_up_to(*lost.at, false);
  const PhysicalOffset end = std::min(*lost.at + lost.size, limit);
  if (end - cursor_ < bytes_min(lost.topic)) return false;
  add(Kind::Placeholder, end - cursor_, &lost);
  return true;
}

bool RangeFiller::fill(const std::vector<const LostMessage*>& placed,
                       const std::vector<const LostMessage*>& loose) {
  loose_ = loose;
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const bool last = i + 1 == placed.size();
    if (!place(*placed[i], last ? range_.to : *placed[i + 1]->at)) return false;
  }
  return fill_up_to(range_.to, true) && next_loose_ == loose_.size();
}

class Planner {
 public:
  explicit Planner(const VerifyReport& report) : report_(report) {}

  RepairPlan run();

 private:
  void plan_range(const DamagedRange& range, std::vector<const LostMessage*> placed);
  std::vector<const LostMessage*> loose_for(const DamagedRange& range, std::int64_t room);
  void plan_queues();
  void plan_index();
  void note_rest();

  const VerifyReport& report_;
  RepairPlan plan_;
  std::set<const LostMessage*> given_;  // a loose one that has got a place
  std::set<std::pair<std::string, QueueId>> incomplete_;
};

// Messages without a known place that may have been in `range`, as many as there is room for.
std::vector<const LostMessage*> Planner::loose_for(const DamagedRange& range, std::int64_t room) {
  std::vector<const LostMessage*> loose;
  for (const LostMessage& lost : report_.lost) {
    if (lost.at || given_.contains(&lost)) continue;
    const bool between = range.to > lost.after && range.from < lost.before;
    if (!between || room < bytes_min(lost.topic)) continue;
    room -= bytes_min(lost.topic);
    loose.push_back(&lost);
  }
  return loose;
}

void Planner::plan_range(const DamagedRange& range, std::vector<const LostMessage*> placed) {
  std::int64_t room = range.to - range.from;
  for (const LostMessage* lost : placed) room -= lost->size;
  const PositionFile* segment = report_.survey.segment_of(range.from);
  const bool ends_segment =
      segment != nullptr && range.to.value == segment->position + report_.survey.segment_bytes;
  const std::vector<const LostMessage*> loose = loose_for(range, room);
  // With places that contradict each other only the numbers count.
  std::vector<const LostMessage*> all = placed;
  all.insert(all.end(), loose.begin(), loose.end());
  for (const bool by_place : {true, false}) {
    RangeFiller filler(range, ends_segment);
    const bool done = by_place ? filler.fill(placed, loose) : filler.fill({}, all);
    if (!done) continue;
    given_.insert(all.begin(), all.end());
    plan_.ranges.push_back(range);
    for (PlannedRecord& record : filler.records()) plan_.records.push_back(std::move(record));
    return;
  }
  plan_.left.push_back("the log at " + std::to_string(range.from.value) + ": " +
                       std::to_string(range.to - range.from) + " bytes are too few for " +
                       std::to_string(std::max<std::size_t>(1, all.size())) + " records");
}

void Planner::plan_queues() {
  std::set<std::pair<std::string, QueueId>> queues;
  for (const PlannedRecord& record : plan_.records) {
    if (record.kind == Kind::Placeholder) queues.emplace(record.topic, record.queue_id);
  }
  for (const QueueCheck::Broken& broken : report_.broken_queues) {
    if (broken.in_log) {
      queues.emplace(broken.topic, broken.queue_id);
    } else {
      // Its files alone say how far it has counted.
      plan_.left.push_back("consume queue " + queue_text(broken.topic, broken.queue_id) +
                           ": the log has no messages of it any more to make it from");
    }
  }
  for (const auto& [topic, id] : incomplete_) {
    if (queues.erase({topic, id}) == 0) continue;
    plan_.left.push_back("consume queue " + queue_text(topic, id) +
                         ": the log does not have all its messages to make it from");
  }
  plan_.queues.assign(queues.begin(), queues.end());
}

// From the first damaged file on, or the first that knows a record which is replaced.
void Planner::plan_index() {
  const auto& files = report_.survey.index;
  std::size_t first = report_.first_broken_index.value_or(files.size());
  if (!plan_.ranges.empty()) {
    for (std::size_t i = 0; i < first; ++i) {
      const IndexHeader& header = files[i].header;
      if (header.entry_count > 1 && header.end_physical >= plan_.ranges.front().from) first = i;
    }
  }
  for (std::size_t i = files.size(); i > first; --i) {
    plan_.index_files.push_back(files[i - 1].path);
  }
}

void Planner::note_rest() {
  for (const LostMessage& lost : report_.lost) {
    if (given_.contains(&lost)) continue;
    incomplete_.emplace(lost.topic, lost.queue_id);
    plan_.left.push_back(text_of(lost) + ": the log has no damaged place that it was in");
  }
  for (const Finding& finding : report_.findings.kept()) {
    if (finding.kind != FindingKind::LogFile || finding.harm == Harm::Note) continue;
    plan_.left.push_back(finding.file + ": " + finding.what);
  }
  plan_.torn_tail = report_.findings.count_of(FindingKind::Tail) > 0;
}

RepairPlan Planner::run() {
  auto lost = report_.lost.begin();
  for (const DamagedRange& range : report_.ranges) {
    std::vector<const LostMessage*> placed;
    for (; lost != report_.lost.end(); ++lost) {
      if (!lost->at || *lost->at < range.from) continue;
      if (*lost->at >= range.to) break;
      placed.push_back(&*lost);
    }
    plan_range(range, std::move(placed));
  }
  if (report_.messages_lost > static_cast<std::int64_t>(report_.lost.size())) {
    plan_.left.push_back("more messages are lost than a repair can do at a time: repair again");
  }
  note_rest();
  plan_queues();
  plan_index();
  return std::move(plan_);
}

}  // namespace

std::int64_t RepairPlan::placeholders() const {
  return std::count_if(records.begin(), records.end(), [](const PlannedRecord& record) {
    return record.kind == Kind::Placeholder;
  });
}

RepairPlan plan_repair(const VerifyReport& report) { return Planner(report).run(); }

}  // namespace rmq::storage::offline
