#include "tests/support/crash_file_system.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "base/assert.h"

namespace rmq::test {
namespace {

constexpr std::int64_t kSectorBytes = 512;
constexpr std::int64_t kWordBytes = 4;
constexpr std::size_t kFileBytesMax = 128 * 1024;

tl::unexpected<Error> fail_with(std::errc code, const std::string& path) {
  return fail(std::make_error_code(code), path);
}

std::string parent_of(const std::string& path) { return parent_directory(path); }

}  // namespace

const char* change_name(Change change) {
  constexpr const char* kNames[] = {"write",  "allocate", "truncate", "zero",          "sync",
                                    "create", "rename",   "remove",   "sync directory"};
  return kNames[static_cast<std::size_t>(change)];
}

// A file or, without bytes, a directory.
struct CrashFileSystem::Node {
  struct Write {
    std::int64_t at;
    Bytes bytes;
  };
  bool directory = false;
  bool locked = false;
  std::shared_ptr<Bytes> bytes = std::make_shared<Bytes>();  // capacity never changes: it is mapped
  Bytes on_disk;
  std::vector<Write> writes;  // not yet on disk

  Node() { bytes->reserve(kFileBytesMax); }
  void resize(std::int64_t size) {
    RMQ_ASSERT(static_cast<std::size_t>(size) <= kFileBytesMax);
    bytes->resize(static_cast<std::size_t>(size));
  }
  void write(std::int64_t at, ByteView part) {
    if (part.empty()) return;
    const std::int64_t end = at + static_cast<std::int64_t>(part.size());
    if (end > static_cast<std::int64_t>(bytes->size())) resize(end);
    std::memcpy(bytes->data() + at, part.data(), part.size());
    writes.push_back({at, Bytes(part.begin(), part.end())});
  }
  void sync() {
    on_disk = *bytes;
    writes.clear();
  }
  // What a power cut leaves: each sector of each write is there or is not.
  void cut(std::mt19937_64& random) {
    for (const Write& write : writes) {
      const auto mood = random() % 4;  // all, nothing, or some of it
      if (mood == 0) continue;
      const auto end = write.at + static_cast<std::int64_t>(write.bytes.size());
      for (std::int64_t from = write.at; from < end;) {
        const std::int64_t to = std::min(end, (from / kSectorBytes + 1) * kSectorBytes);
        if (mood == 1 || random() % 2 == 0) {
          if (static_cast<std::int64_t>(on_disk.size()) < to)
            on_disk.resize(static_cast<std::size_t>(to));
          std::memcpy(on_disk.data() + from, write.bytes.data() + (from - write.at),
                      static_cast<std::size_t>(to - from));
        }
        from = to;
      }
    }
    forget_process();
    writes.clear();
  }
  // Files are opened anew: readers of before keep what they had.
  void forget_process() {
    const Bytes content = on_disk;
    bytes = std::make_shared<Bytes>();
    bytes->reserve(kFileBytesMax);
    *bytes = content;
    locked = false;
  }
};

class CrashFileSystem::OpenFile final : public File {
 public:
  OpenFile(CrashFileSystem& owner, std::shared_ptr<Node> node, std::string path)
      : owner_(owner), node_(std::move(node)), path_(std::move(path)) {}
  ~OpenFile() override {
    MutexLock lock(owner_.mutex_);
    if (holds_lock_) node_->locked = false;
  }

  Result<std::size_t> pread(MutableByteView into, std::int64_t at) override {
    MutexLock lock(owner_.mutex_);
    RMQ_CHECK(owner_.alive());
    const Bytes& bytes = *node_->bytes;
    if (at >= static_cast<std::int64_t>(bytes.size())) return std::size_t{0};
    const std::size_t count = std::min(into.size(), bytes.size() - static_cast<std::size_t>(at));
    std::memcpy(into.data(), bytes.data() + at, count);
    return count;
  }
  Result<std::size_t> pread_cached(MutableByteView into, std::int64_t at) override {
    return pread(into, at);
  }
  Result<> pwrite(ByteView bytes, std::int64_t at) override {
    const ByteView parts[] = {bytes};
    return pwritev(parts, at);
  }
  Result<> pwritev(std::span<const ByteView> parts, std::int64_t at) override {
    Bytes all;
    for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
    MutexLock lock(owner_.mutex_);
    return owner_.step(
        Change::Write, path_, [&] { node_->write(at, all); },
        [&] {
          // No machine writes a part of an aligned word.
          const auto end =
              (at + static_cast<std::int64_t>(all.size() / 2)) / kWordBytes * kWordBytes;
          if (end > at) node_->write(at, ByteView(all).first(static_cast<std::size_t>(end - at)));
        });
  }
  Result<> allocate(std::int64_t bytes) override {
    MutexLock lock(owner_.mutex_);
    return owner_.step(Change::Allocate, path_, [&] {
      if (bytes > static_cast<std::int64_t>(node_->bytes->size())) node_->resize(bytes);
    });
  }
  Result<> truncate(std::int64_t bytes) override {
    MutexLock lock(owner_.mutex_);
    return owner_.step(Change::Truncate, path_, [&] { node_->resize(bytes); });
  }
  Result<> zero_range(std::int64_t from, std::int64_t bytes, ZeroSpace) override {
    MutexLock lock(owner_.mutex_);
    const Bytes zeros(static_cast<std::size_t>(bytes));
    return owner_.step(Change::Zero, path_, [&] { node_->write(from, zeros); });
  }
  Result<std::optional<std::int64_t>> next_data(std::int64_t from) override {
    MutexLock lock(owner_.mutex_);
    RMQ_CHECK(owner_.alive());
    const Bytes& bytes = *node_->bytes;
    for (auto at = static_cast<std::size_t>(from); at < bytes.size(); ++at) {
      if (bytes[at] != std::byte{0}) return std::optional(static_cast<std::int64_t>(at));
    }
    return std::optional<std::int64_t>();
  }
  Result<> sync_data() override {
    MutexLock lock(owner_.mutex_);
    return owner_.step(Change::Sync, path_, [&] { node_->sync(); });
  }
  Result<std::int64_t> size() override {
    MutexLock lock(owner_.mutex_);
    RMQ_CHECK(owner_.alive());
    return static_cast<std::int64_t>(node_->bytes->size());
  }
  Result<std::shared_ptr<const Mapping>> map(std::int64_t bytes) override {
    struct View final : Mapping {
      View(std::shared_ptr<Bytes> of, std::size_t size)
          : Mapping(ByteView(*of).first(size)), held(std::move(of)) {}
      std::shared_ptr<Bytes> held;
    };
    MutexLock lock(owner_.mutex_);
    RMQ_CHECK(owner_.alive());
    RMQ_ASSERT(static_cast<std::size_t>(bytes) <= node_->bytes->size());
    return std::shared_ptr<const Mapping>(
        std::make_shared<View>(node_->bytes, static_cast<std::size_t>(bytes)));
  }
  Result<> try_lock() override {
    MutexLock lock(owner_.mutex_);
    if (node_->locked) return fail_with(std::errc::resource_unavailable_try_again, path_);
    node_->locked = holds_lock_ = true;
    return {};
  }

 private:
  CrashFileSystem& owner_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  bool holds_lock_ = false;
};

CrashFileSystem::CrashFileSystem() = default;
CrashFileSystem::~CrashFileSystem() = default;

void CrashFileSystem::plan_death(const Plan& plan) {
  MutexLock lock(mutex_);
  plan_ = plan;
  matched_ = 0;
}

std::string CrashFileSystem::died_at() const {
  MutexLock lock(mutex_);
  return died_at_;
}

void CrashFileSystem::die() {
  MutexLock lock(mutex_);
  if (!dead_) died_at_ = "told to";
  dead_ = true;
}

bool CrashFileSystem::dead() const {
  MutexLock lock(mutex_);
  return dead_;
}

std::int64_t CrashFileSystem::changes() const {
  MutexLock lock(mutex_);
  return changes_;
}

Result<> CrashFileSystem::alive() const {
  if (dead_) return fail_with(std::errc::io_error, "the process is dead");
  return {};
}

Result<> CrashFileSystem::step(Change kind, const std::string& path,
                               const std::function<void()>& change,
                               const std::function<void()>& half) {
  RMQ_CHECK(alive());
  ++changes_;
  const bool matches = plan_ && path.find(plan_->path_part) != std::string::npos &&
                       (!plan_->change || *plan_->change == kind);
  if (!matches || ++matched_ != plan_->nth) {
    change();
    return {};
  }
  if (plan_->moment == Moment::After) change();
  if (plan_->moment == Moment::Within && half) half();
  dead_ = true;
  constexpr const char* kMoments[] = {"before", "within", "after"};
  died_at_ = std::string(kMoments[static_cast<std::size_t>(plan_->moment)]) + " " +
             change_name(kind) + " " + path;
  plan_.reset();
  return alive();
}

void CrashFileSystem::restart(Death death, std::mt19937_64& random) {
  MutexLock lock(mutex_);
  plan_.reset();
  dead_ = false;
  died_at_.clear();
  if (death == Death::Process) {
    // The page cache has it all, and would have written it some time.
    for (auto& [path, node] : names_) {
      const Bytes before = std::exchange(node->on_disk, *node->bytes);
      node->forget_process();
      node->on_disk = before;
    }
    return;
  }
  const std::size_t kept = name_changes_.empty() ? 0 : random() % (name_changes_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) {
    const NameChange& change = name_changes_[i];
    if (change.node) {
      names_on_disk_[change.path] = change.node;
    } else {
      names_on_disk_.erase(change.path);
    }
  }
  name_changes_.clear();
  // A name in a directory that is not there is not there.
  std::erase_if(names_on_disk_, [this](const auto& entry) {
    for (std::string at = parent_of(entry.first); at.size() > 1; at = parent_of(at)) {
      if (!names_on_disk_.contains(at)) return true;
    }
    return false;
  });
  names_ = names_on_disk_;
  std::set<Node*> done;
  for (auto& [path, node] : names_) {
    if (done.insert(node.get()).second) node->cut(random);
  }
}

void CrashFileSystem::corrupt(const std::string& path, std::int64_t at) {
  MutexLock lock(mutex_);
  const auto node = names_.at(path);
  (*node->bytes)[static_cast<std::size_t>(at)] ^= std::byte{0x10};
  if (at < static_cast<std::int64_t>(node->on_disk.size()))
    node->on_disk[static_cast<std::size_t>(at)] ^= std::byte{0x10};
}

std::vector<std::string> CrashFileSystem::paths() const {
  MutexLock lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, node] : names_) {
    if (!node->directory) paths.push_back(path);
  }
  return paths;
}

void CrashFileSystem::set_name(const std::string& path, std::shared_ptr<Node> node) {
  if (node) {
    names_[path] = node;
  } else {
    names_.erase(path);
  }
  name_changes_.push_back({path, std::move(node)});
}

void CrashFileSystem::sync_names(const std::string& directory) {
  std::vector<NameChange> rest;
  for (NameChange& change : name_changes_) {
    if (parent_of(change.path) != directory) {
      rest.push_back(std::move(change));
    } else if (change.node) {
      names_on_disk_[change.path] = std::move(change.node);
    } else {
      names_on_disk_.erase(change.path);
    }
  }
  name_changes_ = std::move(rest);
}

Result<std::unique_ptr<File>> CrashFileSystem::open(const std::string& path, OpenMode mode) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  const auto known = names_.find(path);
  const bool exists = known != names_.end();
  if (exists && mode == OpenMode::CreateExclusive) return fail_with(std::errc::file_exists, path);
  const bool creates = mode == OpenMode::Create || mode == OpenMode::CreateExclusive;
  if (!exists && !creates) return fail_with(std::errc::no_such_file_or_directory, path);
  std::shared_ptr<Node> node = exists ? known->second : std::make_shared<Node>();
  if (!exists) {
    if (parent_of(path) != "/" && !names_.contains(parent_of(path)))
      return fail_with(std::errc::no_such_file_or_directory, path);
    RMQ_CHECK(step(Change::Create, path, [&] { set_name(path, node); }));
  }
  return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, std::move(node), path));
}

Result<> CrashFileSystem::rename(const std::string& from, const std::string& to) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  const auto known = names_.find(from);
  if (known == names_.end()) return fail_with(std::errc::no_such_file_or_directory, from);
  const std::shared_ptr<Node> node = known->second;
  return step(Change::Rename, to, [&] {
    set_name(to, node);
    set_name(from, nullptr);
  });
}

Result<> CrashFileSystem::remove(const std::string& path) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  if (!names_.contains(path)) return fail_with(std::errc::no_such_file_or_directory, path);
  return step(Change::Remove, path, [&] { set_name(path, nullptr); });
}

Result<> CrashFileSystem::remove_all(const std::string& path) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  std::vector<std::string> doomed;
  for (const auto& [name, node] : names_) {
    if (name == path || name.starts_with(path + "/")) doomed.push_back(name);
  }
  return step(Change::Remove, path, [&] {
    for (const std::string& name : doomed) set_name(name, nullptr);
  });
}

Result<> CrashFileSystem::make_directories(const std::string& path, SyncParents sync) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  std::vector<std::string> missing;
  for (std::string at = path; at.size() > 1 && !names_.contains(at); at = parent_of(at)) {
    missing.push_back(at);
  }
  for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
    const auto directory = std::make_shared<Node>();
    directory->directory = true;
    RMQ_CHECK(step(Change::Create, *at, [&] { set_name(*at, directory); }));
    if (sync == SyncParents::Yes) sync_names(parent_of(*at));
  }
  return {};
}

Result<> CrashFileSystem::sync_directory(const std::string& path) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  return step(Change::SyncDirectory, path, [&] { sync_names(path); });
}

Result<> CrashFileSystem::sync_everything(const std::string& path) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  return step(Change::Sync, path, [&] {
    for (auto& [name, node] : names_) node->sync();
    names_on_disk_ = names_;
    name_changes_.clear();
  });
}

Result<bool> CrashFileSystem::exists(const std::string& path) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  return names_.contains(path);
}

Result<DiskSpace> CrashFileSystem::space(const std::string&) {
  return DiskSpace{.used_bytes = 1, .available_bytes = 1LL << 40};
}

Result<std::vector<std::string>> CrashFileSystem::list(const std::string& path) {
  MutexLock lock(mutex_);
  RMQ_CHECK(alive());
  std::vector<std::string> found;
  for (const auto& [name, node] : names_) {
    if (parent_of(name) == path) found.push_back(name.substr(name.rfind('/') + 1));
  }
  return found;
}

}  // namespace rmq::test
