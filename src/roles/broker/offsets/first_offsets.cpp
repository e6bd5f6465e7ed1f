#include "roles/broker/offsets/first_offsets.h"

#include <algorithm>

namespace rmq::roles::broker {

FirstOffsets::FirstOffsets(Clock& clock, FileSystem& files, const std::string& root)
    : table_(clock, files, root + "/rmq/first-offsets.json") {}

// A store that Java filled has no such file, so a missing one says nothing.
Result<> FirstOffsets::load() { return table_.load(false); }

void FirstOffsets::remember(std::string_view group, std::string_view topic, QueueId queues,
                            const EndOf& end_of) {
  if (!table_.find_all(group, topic).empty()) return;
  // One entry at least, for a topic that does not exist yet: it says that the group was here.
  for (QueueId id = 0; id < std::max(queues, QueueId{1}); ++id)
    table_.commit("", group, topic, id, end_of(id));
  if (on_change_) on_change_();
}

std::optional<QueueOffset> FirstOffsets::find(std::string_view group, std::string_view topic,
                                              QueueId queue_id) const {
  const OffsetTable::QueueOffsets known = table_.find_all(group, topic);
  if (known.empty()) return std::nullopt;
  const auto found = known.find(queue_id);
  return found == known.end() ? QueueOffset{0} : found->second;
}

void FirstOffsets::erase_topic(std::string_view topic) {
  table_.erase_topic(topic);
  if (on_change_) on_change_();
}

void FirstOffsets::erase_group(std::string_view group) {
  table_.erase_group(group);
  if (on_change_) on_change_();
}

}  // namespace rmq::roles::broker
