#include "protocol/topic_groups_body.h"

#include <algorithm>

#include "protocol/body_json.h"

namespace rmq::protocol {

Result<std::vector<std::string>> decode_group_list(std::string_view body) {
  RMQ_TRY(const json::Value object, parse_body(body));
  std::vector<std::string> groups;
  if (const json::Value* list = array_member(object, "groupList")) {
    for (const json::Value& item : list->items()) {
      if (auto group = item.as_text()) groups.push_back(std::move(*group));
    }
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

Result<std::vector<std::string>> decode_groups_with_offsets(std::string_view body,
                                                            std::string_view topic) {
  RMQ_TRY(const json::Value object, parse_body(body));
  std::vector<std::string> groups;
  const std::string prefix = std::string(topic) + "@";
  if (const json::Value* table = object_member(object, "offsetTable")) {
    for (const json::Member& member : table->members()) {
      const std::string key = member.key_text();
      if (key.starts_with(prefix)) groups.push_back(key.substr(prefix.size()));
    }
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace rmq::protocol
