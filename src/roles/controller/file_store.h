// FileStore: the broker sets of one controller in a file, for a cluster that has one.
// Format: `broker-sets.json` in a directory of its own, {"format":1,"brokerSets":[...]} with the
// sets as in broker_set_json.h. Each change replaces the file; `lock` beside it keeps a second
// process out.
//
// There is no backup: an older version would give epochs out twice, and two masters could then
// confirm different messages under one epoch. A file that cannot be read stops the start.
// Threads: as ControllerStore. Changes are written by a thread of its own, one after the other.
// Crash: the old or the new file, whole; the new one once the change is answered.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/blocking_pool.h"
#include "base/mutex.h"
#include "roles/controller/controller_store.h"

namespace rmq {
class File;
class FileSystem;
}  // namespace rmq

namespace rmq::roles::controller {

class FileStore final : public ControllerStore {
 public:
  // `files` outlives it. The directory is made when it is missing.
  FileStore(FileSystem& files, std::string directory);
  ~FileStore() override;

  // Errors: errno (EAGAIN: another controller uses the directory), ProtocolErrc::BodyMalformed.
  Result<> open() override;
  bool is_shared() const override { return false; }
  net::Task<Result<std::optional<replication::BrokerSet>>> load(std::string name) override;
  net::Task<Result<std::vector<replication::BrokerSet>>> list() override;
  net::Task<Result<bool>> swap(replication::BrokerSet next) override;
  net::Task<Result<bool>> remove(std::string name, std::uint64_t version) override;

  std::string path() const;

 private:
  using Sets = std::map<std::string, replication::BrokerSet>;

  Result<> read();
  Result<> write(const Sets& sets);
  // On the pool: makes and stores the next version of all sets, unless `change` says false.
  Result<bool> store(const std::function<bool(Sets&)>& change);

  FileSystem& files_;
  const std::string directory_;
  std::unique_ptr<File> lock_;
  Mutex mutex_;
  Sets sets_ RMQ_GUARDED_BY(mutex_);  // as on disk
  BlockingPool writer_{1};
};

}  // namespace rmq::roles::controller
