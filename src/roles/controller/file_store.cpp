#include "roles/controller/file_store.h"

#include <utility>

#include "base/file_system.h"
#include "base/json.h"
#include "net/await_pool.h"
#include "protocol/body_json.h"
#include "protocol/protocol_errc.h"
#include "roles/controller/broker_set_json.h"

namespace rmq::roles::controller {
namespace {

using protocol::ProtocolErrc;
using replication::BrokerSet;

constexpr std::int64_t kFormat = 1;

std::uint64_t version_of(const std::map<std::string, BrokerSet>& sets, const std::string& name) {
  const auto found = sets.find(name);
  return found == sets.end() ? 0 : found->second.version;
}

}  // namespace

FileStore::FileStore(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

FileStore::~FileStore() = default;

std::string FileStore::path() const { return directory_ + "/broker-sets.json"; }

Result<> FileStore::open() {
  RMQ_CHECK(files_.make_directories(directory_));
  const std::string lock = directory_ + "/lock";
  RMQ_TRY(lock_, files_.open(lock, OpenMode::Create));
  if (const Result<> locked = lock_->try_lock(); !locked) {
    return fail(locked.error().code, "another controller uses " + directory_ + " (" + lock + ")");
  }
  const Result<> done = read();
  if (done) return {};
  return fail(done.error().code,
              path() +
                  " cannot be used and is left as it is; put back a copy, or move it away to "
                  "begin without broker sets: " +
                  done.error().detail);
}

Result<> FileStore::read() {
  RMQ_TRY(const bool exists, files_.exists(path()));
  if (!exists) return {};
  RMQ_TRY(const std::string text, read_text_file(files_, path()));
  RMQ_TRY(const json::Value file, protocol::parse_body(text));
  const std::int64_t format = file.int_or("format", 0);
  if (format != kFormat) {
    return fail(ProtocolErrc::BodyMalformed, "its format is " + std::to_string(format) +
                                                 ", this version knows " + std::to_string(kFormat));
  }
  const json::Value* list = protocol::array_member(file, "brokerSets");
  if (list == nullptr) return fail(ProtocolErrc::BodyMalformed, "no list 'brokerSets'");
  Sets sets;
  for (const json::Value& item : list->items()) {
    RMQ_TRY(BrokerSet set, broker_set_from_json(item));
    const std::string name = set.name;
    if (!sets.emplace(name, std::move(set)).second) {
      return fail(ProtocolErrc::BodyMalformed, "two broker sets '" + name + "'");
    }
  }
  MutexLock lock(mutex_);
  sets_ = std::move(sets);
  return {};
}

Result<> FileStore::write(const Sets& sets) {
  json::Value list = json::Value::array();
  for (const auto& [name, set] : sets) list.push_back(to_json(set));
  json::Value file = json::Value::object();
  file.set("format", kFormat);
  file.set("brokerSets", std::move(list));
  return write_file_atomically(files_, path(), as_bytes(json::write(file, json::kPretty)));
}

net::Task<Result<std::optional<BrokerSet>>> FileStore::load(std::string name) {
  MutexLock lock(mutex_);
  const auto found = sets_.find(name);
  if (found == sets_.end()) co_return std::optional<BrokerSet>();
  co_return std::optional<BrokerSet>(found->second);
}

net::Task<Result<std::vector<BrokerSet>>> FileStore::list() {
  MutexLock lock(mutex_);
  std::vector<BrokerSet> all;
  for (const auto& [name, set] : sets_) all.push_back(set);
  co_return all;
}

Result<bool> FileStore::store(const std::function<bool(Sets&)>& change) {
  Sets next;
  {
    MutexLock lock(mutex_);
    next = sets_;
  }
  if (!change(next)) return false;
  RMQ_CHECK(write(next));
  MutexLock lock(mutex_);
  sets_ = std::move(next);
  return true;
}

net::Task<Result<bool>> FileStore::swap(BrokerSet next) {
  std::function<bool(Sets&)> change = [next = std::move(next)](Sets& sets) {
    if (version_of(sets, next.name) + 1 != next.version) return false;
    sets[next.name] = next;
    return true;
  };
  std::function<Result<bool>()> work = [this, change = std::move(change)] { return store(change); };
  Result<bool> stored = co_await net::run_on<bool>(writer_, std::move(work));
  co_return stored;
}

net::Task<Result<bool>> FileStore::remove(std::string name, std::uint64_t version) {
  std::function<bool(Sets&)> change = [name = std::move(name), version](Sets& sets) {
    if (version_of(sets, name) != version) return false;
    sets.erase(name);
    return true;
  };
  std::function<Result<bool>()> work = [this, change = std::move(change)] { return store(change); };
  Result<bool> removed = co_await net::run_on<bool>(writer_, std::move(work));
  co_return removed;
}

}  // namespace rmq::roles::controller
