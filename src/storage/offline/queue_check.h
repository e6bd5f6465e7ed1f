// QueueCheck: the consume queues against the log, both ways, in one pass over the log.
//
// Records come in log order, so those of one queue come in the order of its entries: each is
// compared with its entry, and what an entry points at that no record confirms is missing. A record
// whose entry does not confirm it waits until one behind it is confirmed, because only then it is
// clear what is wrong: its entry (the numbers go on without a gap), the record itself (its number
// is missing, and an entry points at it), or neither (messages of a topic that was deleted in Java
// and made again count from 0 twice).
// Threads: one. Memory: per queue a buffer of entries; and what waits, within one limit for all.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/string_map.h"
#include "protocol/message_record.h"
#include "storage/delay_levels.h"
#include "storage/offline/finding.h"
#include "storage/offline/queue_reader.h"
#include "storage/offline/survey.h"

namespace rmq::storage::offline {

// A message that a queue counts, and that the log does not have whole.
struct LostMessage {
  std::string topic;
  QueueId queue_id = 0;
  QueueOffset number;
  // What its entry says, or what is left of its record; without it, it lies between two places.
  std::optional<PhysicalOffset> at;
  std::int64_t size = 0;  // bytes, with `at`
  PhysicalOffset after;   // the record of the message before it begins here, or earlier
  PhysicalOffset before;  // the record of the message behind it
};

class QueueCheck {
 public:
  struct Setting {
    FileSystem& files;
    const Survey& survey;
    DelayLevels delays;
    // Entries of records from here on the next start makes anyway.
    PhysicalOffset settled;
    // The topics that exist, if known: queues of others need not.
    std::optional<StringSet> topics;
  };
  static constexpr std::size_t kLostMax = 1'000'000;

  QueueCheck(Setting setting, Findings& findings);
  ~QueueCheck();

  // Before the first record.
  Result<> open();
  // In log order. `damaged`: only its borders are sure.
  Result<> on_record(const protocol::MessageRecord& record, bool damaged);
  Result<> finish(PhysicalOffset log_end);

  // Results, after finish().
  std::vector<LostMessage>& lost() { return lost_; }
  std::int64_t lost_count() const { return lost_count_; }
  // Sound records that no queue knows: places of the first ones, and the number of all.
  const std::set<PhysicalOffset>& outside() const { return outside_; }
  std::int64_t outside_count() const { return outside_count_; }
  std::int64_t entry_count() const { return entry_count_; }
  struct Broken {
    std::string topic;
    QueueId queue_id = 0;
    bool in_log = false;  // the log has messages of it
  };
  // Queues that must be made again.
  std::vector<Broken> broken() const;

 private:
  struct Claim;
  struct State;

  State& state_of(std::string_view topic, QueueId queue_id);
  Result<ConsumeQueueEntry> entry_of(State& state, std::int64_t number);
  bool points_into_log(const ConsumeQueueEntry& entry) const;
  Result<> check_files(State& state);
  Result<> take_without_entry(State& state, const Claim& claim, const ConsumeQueueEntry& entry);
  void check_tag(State& state, const Claim& claim, const ConsumeQueueEntry& entry);
  void keep(State& state, const Claim& claim);
  void leave_outside(State& state, const std::vector<Claim>& claims);
  Result<> settle(State& state, std::int64_t number, PhysicalOffset at);
  Result<std::int64_t> first_number(State& state, std::int64_t number, PhysicalOffset at);
  void accept(State& state, const Claim& claim);
  void lose(LostMessage lost);
  Result<> finish(State& state, PhysicalOffset log_end);
  Result<> check_rest(State& state, PhysicalOffset log_end);
  void add(State& state, FindingKind kind, Harm harm, const std::string& file,
           std::int64_t position, std::string what);

  const Setting setting_;
  Findings& findings_;
  const PhysicalOffset log_begin_;
  std::size_t waiting_ = 0;  // claims, of all queues

  StringMap<std::unordered_map<QueueId, std::unique_ptr<State>>> states_;
  std::vector<LostMessage> lost_;
  std::int64_t lost_count_ = 0;
  std::set<PhysicalOffset> outside_;
  std::int64_t outside_count_ = 0;
  std::int64_t entry_count_ = 0;
  bool has_ext_ = false;
};

std::string queue_text(std::string_view topic, QueueId queue_id);

}  // namespace rmq::storage::offline
