#include "roles/broker/offsets/offsets_json.h"

#include <utility>

#include "protocol/body_json.h"

namespace rmq::roles::broker {

json::Value to_json(const GroupOffsets& offsets) {
  json::Value table = json::Value::object();
  for (const auto& [key, queues] : offsets) {
    json::Value of_queues = json::Value::object();
    for (const auto& [queue_id, offset] : queues) of_queues.set_integer_key(queue_id, offset.value);
    table.set(key, std::move(of_queues));
  }
  return table;
}

GroupOffsets offsets_from(const json::Value& object) {
  GroupOffsets offsets;
  const json::Value* table = protocol::object_member(object, "offsetTable");
  if (table == nullptr) return offsets;
  for (const json::Member& entry : table->members()) {
    QueueOffsets& queues = offsets[entry.key_text()];
    for (const json::Member& queue : entry.value.members()) {
      const auto id = queue.key_int();
      const auto offset = queue.value.as_int();
      if (id && offset) queues[static_cast<QueueId>(*id)] = QueueOffset{*offset};
    }
  }
  return offsets;
}

}  // namespace rmq::roles::broker
