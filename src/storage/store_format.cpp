#include "storage/store_format.h"

#include "storage/store_errc.h"

namespace rmq::storage {
namespace {

constexpr std::string_view kRocksDb = "CURRENT";  // every RocksDB instance has this file

}  // namespace

Result<> check_store_format(FileSystem& files, const Layout& layout) {
  const std::string queues = layout.consume_queues();
  RMQ_TRY(const bool rocks_db, files.exists(queues + "/" + std::string(kRocksDb)));
  if (rocks_db) {
    return fail(
        StoreErrc::NotSupported,
        queues +
            " is a RocksDB (storeType=defaultRocksDB). Start Java once more, let it write topics, "
            "groups and offsets as JSON (mqadmin rocksDBConfigToJson -b HOST:PORT), stop it, and "
            "move that directory away: queues are made again from the log");
  }
  const std::string batch = layout.root() + "/batchconsumequeue";
  RMQ_TRY(const std::vector<std::string> topics, files.list(batch));
  for (const std::string& topic : topics) {
    RMQ_TRY(const std::vector<std::string> ids, files.list(batch + "/" + topic));
    for (const std::string& id : ids) {
      RMQ_TRY(const std::vector<std::string> found, files.list(batch + "/" + topic + "/" + id));
      if (found.empty()) continue;
      return fail(StoreErrc::NotSupported,
                  batch + "/" + topic +
                      ": batch consume queues (queue.type=BatchCQ) cannot be read; consume that "
                      "topic with Java and delete it first");
    }
  }
  return {};
}

}  // namespace rmq::storage
