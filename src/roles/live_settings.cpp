#include "roles/live_settings.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "protocol/response_codes.h"

namespace rmq::roles {

using protocol::ResponseCode;

Result<JavaProperties> check_changes(std::string_view text, const config::Rows& scratch,
                                     std::span<const std::string_view> never) {
  const JavaProperties properties = parse_properties(text);
  for (const auto& [key, value] : properties) {
    if (std::find(never.begin(), never.end(), key) != never.end()) {
      return fail(ResponseCode::NoPermission, "Can not update config in black list.");
    }
  }
  JavaProperties changes;
  for (const auto& [key, value] : properties) {
    const config::Row* row = scratch.find_java(key);
    if (row == nullptr) continue;
    const std::string before = row->get();
    if (const auto set = row->set(value); !set) {
      return fail(ResponseCode::SystemError, key + ": " + set.error().message());
    }
    if (row->get() == before) continue;
    if (row->reload != config::Reload::Live) {
      return fail(ResponseCode::SystemError, key + " can only be changed with a restart");
    }
    changes.emplace_back(key, value);
  }
  return changes;
}

void apply_changes(const JavaProperties& changes, const config::Rows& settings,
                   std::string_view component, const std::string& peer) {
  for (const auto& [key, value] : changes) {
    const config::Row* row = settings.find_java(key);
    RMQ_ASSERT(row != nullptr && row->set(value));
    log::info(component, "setting changed until the next start", kv("key", key), kv("value", value),
              kv("by", peer));
  }
}

std::string settings_text(const config::Rows& settings, const JavaProperties& others) {
  std::string text;
  for (const config::Row& row : settings.all()) {
    if (!row.java_key.empty()) text += std::string(row.java_key) + "=" + row.get() + "\n";
  }
  for (const auto& [key, value] : others) text += key + "=" + value + "\n";
  return text;
}

}  // namespace rmq::roles
