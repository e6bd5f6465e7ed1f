#include "roles/namesrv/kv_store.h"

#include <utility>

#include "base/file_system.h"
#include "base/json.h"
#include "base/log.h"
#include "protocol/body_json.h"

namespace rmq::roles::namesrv {

KvStore::KvStore(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

Result<> KvStore::load() {
  const Result<std::string> text = read_text_file(files_, path_);
  if (!text) {
    if (text.error().code == std::errc::no_such_file_or_directory) return {};
    return fail(text.error());
  }
  if (text->empty()) return {};
  Result<json::Value> file = protocol::parse_body(*text);
  if (!file) return fail(file.error().code, path_ + ": " + file.error().detail);
  Table table;
  if (const json::Value* spaces = protocol::object_member(*file, "configTable")) {
    for (const auto& space : spaces->members()) {
      Namespace& entries = table[space.key_text()];
      for (const auto& entry : space.value.members()) {
        if (auto value = entry.value.as_text()) entries[entry.key_text()] = *std::move(value);
      }
    }
  }
  table_ = std::move(table);
  return {};
}

Result<> KvStore::put(std::string_view name_space, std::string_view key, std::string_view value) {
  Table next = table_;
  next[std::string(name_space)][std::string(key)] = value;
  RMQ_CHECK(save(next));
  table_ = std::move(next);
  log::info("namesrv", "key-value entry set", kv("namespace", name_space), kv("key", key));
  return {};
}

Result<> KvStore::erase(std::string_view name_space, std::string_view key) {
  Table next = table_;
  const auto space = next.find(name_space);
  if (space == next.end()) return {};
  const auto entry = space->second.find(key);
  if (entry == space->second.end()) return {};
  space->second.erase(entry);
  RMQ_CHECK(save(next));
  table_ = std::move(next);
  log::info("namesrv", "key-value entry deleted", kv("namespace", name_space), kv("key", key));
  return {};
}

std::optional<std::string> KvStore::get(std::string_view name_space, std::string_view key) const {
  const auto space = table_.find(name_space);
  if (space == table_.end()) return std::nullopt;
  const auto entry = space->second.find(key);
  if (entry == space->second.end()) return std::nullopt;
  return entry->second;
}

std::optional<protocol::KVTable> KvStore::list(std::string_view name_space) const {
  const auto space = table_.find(name_space);
  if (space == table_.end()) return std::nullopt;
  return protocol::KVTable{{space->second.begin(), space->second.end()}};
}

Result<> KvStore::save(const Table& table) const {
  json::Value spaces = json::Value::object();
  for (const auto& [name, entries] : table) {
    json::Value space = json::Value::object();
    for (const auto& [key, value] : entries) space.set(key, value);
    spaces.set(name, std::move(space));
  }
  json::Value file = json::Value::object();
  file.set("configTable", std::move(spaces));
  RMQ_CHECK(files_.make_directories(parent_directory(path_)));
  return write_file_atomically(files_, path_, as_bytes(json::write(file)), Backup::Keep);
}

}  // namespace rmq::roles::namesrv
