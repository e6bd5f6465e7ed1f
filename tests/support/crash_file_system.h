// CrashFileSystem: files in memory, and what a process death or a power cut leaves of them.
// A write is on disk after sync_data() of its file, a name after sync_directory() of its directory.
// At the cut of power what is not on disk is kept, lost or torn as the random numbers say: writes
// sector by sector, in any order; names in the order of their changes, up to some point.
// A plan kills the process at the n-th change of files whose path contains a text: before the
// change, in the middle of it, or after it. From then on every call fails, until restart().
// Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/mutex.h"

namespace rmq::test {

enum class Change { Write, Allocate, Truncate, Zero, Sync, Create, Rename, Remove, SyncDirectory };
const char* change_name(Change change);

enum class Moment { Before, Within, After };
enum class Death { Process, Power };

class CrashFileSystem final : public FileSystem {
 public:
  CrashFileSystem();
  ~CrashFileSystem() override;

  struct Plan {
    std::string path_part;         // of the path; empty: any
    std::optional<Change> change;  // nothing: any
    std::int64_t nth = 1;
    Moment moment = Moment::Before;
  };
  void plan_death(const Plan& plan);
  // Where it died, "Write /store/commitlog/0 (Within)"; empty while it lives.
  std::string died_at() const;
  // Dies now.
  void die();
  bool dead() const;
  // What is left becomes all there is, and calls work again. Nobody holds a file any more.
  void restart(Death death, std::mt19937_64& random);
  // Changes so far, for picking a moment of a run like this one.
  std::int64_t changes() const;
  // Flips a bit of the file, on disk and off.
  void corrupt(const std::string& path, std::int64_t at);
  // Every file, for a look at what is there.
  std::vector<std::string> paths() const;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> remove_all(const std::string& path) override;
  Result<> make_directories(const std::string& path, SyncParents sync) override;
  Result<> sync_directory(const std::string& path) override;
  Result<> sync_everything(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;

 private:
  struct Node;
  class OpenFile;
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  // A name that came or went, not yet on disk.
  struct NameChange {
    std::string path;
    std::shared_ptr<Node> node;  // null: removed
  };

  // Runs `change` unless the process is dead or dies here; `half` does a part of it.
  Result<> step(Change kind, const std::string& path, const std::function<void()>& change,
                const std::function<void()>& half = {}) RMQ_REQUIRES(mutex_);
  Result<> alive() const RMQ_REQUIRES(mutex_);
  // These two with mutex_, as the names: not annotated, because changes are passed to step().
  void set_name(const std::string& path, std::shared_ptr<Node> node);
  void sync_names(const std::string& directory);

  mutable Mutex mutex_;
  Names names_;
  Names names_on_disk_;
  std::vector<NameChange> name_changes_;
  std::optional<Plan> plan_ RMQ_GUARDED_BY(mutex_);
  std::int64_t matched_ RMQ_GUARDED_BY(mutex_) = 0;
  std::int64_t changes_ RMQ_GUARDED_BY(mutex_) = 0;
  bool dead_ RMQ_GUARDED_BY(mutex_) = false;
  std::string died_at_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::test
