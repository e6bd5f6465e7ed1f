// KvStore: the key-value table of a name server: namespaces of keys, set by administrators. Topics
// with a global order keep their queues here (namespace ORDER_TOPIC_CONFIG). Format: Java's
// kvConfig.json, {"configTable":{"NAMESPACE":{"key":"value"}}}. A namespace stays when its last key
// goes. Threads: one (the control thread). Crash: a change is on disk, or nothing of it is; put()
// and erase() return after it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/route_body.h"

namespace rmq {
class FileSystem;
}

namespace rmq::roles::namesrv {

inline constexpr std::string_view kOrderTopicNamespace = "ORDER_TOPIC_CONFIG";

class KvStore {
 public:
  // `files` must outlive the store; `path` is kvConfig.json, below directories that are made when
  // missing.
  KvStore(FileSystem& files, std::string path);

  // Reads the file; a missing or empty one is an empty table. Errors: errno,
  // ProtocolErrc::BodyMalformed: the name server must not start, or the next put() would replace
  // what is there.
  Result<> load();

  // Errors: errno; the table is as before then.
  Result<> put(std::string_view name_space, std::string_view key, std::string_view value);
  Result<> erase(std::string_view name_space, std::string_view key);

  std::optional<std::string> get(std::string_view name_space, std::string_view key) const;
  // Nothing: no such namespace.
  std::optional<protocol::KVTable> list(std::string_view name_space) const;

 private:
  using Namespace = std::map<std::string, std::string, std::less<>>;
  using Table = std::map<std::string, Namespace, std::less<>>;

  Result<> save(const Table& table) const;

  FileSystem& files_;
  const std::string path_;
  Table table_;
};

}  // namespace rmq::roles::namesrv
