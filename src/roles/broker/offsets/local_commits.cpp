#include "roles/broker/offsets/local_commits.h"

#include <utility>

#include "base/log.h"
#include "protocol/body_json.h"

namespace rmq::roles::broker {

LocalCommits::LocalCommits(FileSystem& files, std::string path) : file_(files, std::move(path)) {}

void LocalCommits::load() {
  MutexLock saving(save_mutex_);
  if (file_.path().empty()) return;
  const Result<bool> loaded = file_.load([this](std::string_view text) -> Result<> {
    RMQ_TRY(const json::Value object, protocol::parse_body(text));
    MutexLock lock(mutex_);
    commits_ = offsets_from(object);
    return {};
  });
  if (loaded) return;
  log::warn("offsets", "what was committed on this slave is not given to its master",
            kv("file", file_.path()), kv("why", loaded.error().message()));
}

void LocalCommits::keep(bool keep) {
  MutexLock lock(mutex_);
  keep_.store(keep, std::memory_order_relaxed);
  if (keep) return;
  if (!commits_.empty()) ++changes_;
  commits_.clear();
}

void LocalCommits::note(std::string_view key, QueueId queue_id, QueueOffset offset) {
  MutexLock lock(mutex_);
  if (!kept()) return;
  auto queues = commits_.find(key);
  if (queues == commits_.end()) queues = commits_.emplace(std::string(key), QueueOffsets{}).first;
  const auto [commit, is_new] = queues->second.try_emplace(queue_id, offset);
  if (!is_new && commit->second == offset) return;
  commit->second = offset;
  ++changes_;
}

void LocalCommits::merge_into(std::string_view key, QueueOffsets& masters) {
  MutexLock lock(mutex_);
  const auto queues = commits_.find(key);
  if (queues == commits_.end()) return;
  const auto masters_has = [&](const auto& commit) {
    const auto known = masters.find(commit.first);
    return known != masters.end() && known->second >= commit.second;
  };
  if (std::erase_if(queues->second, masters_has) > 0) ++changes_;
  for (const auto& [queue_id, offset] : queues->second) masters[queue_id] = offset;
  if (queues->second.empty()) commits_.erase(queues);
}

void LocalCommits::forget(std::string_view key, QueueId queue_id, QueueOffset offset) {
  MutexLock lock(mutex_);
  const auto queues = commits_.find(key);
  if (queues == commits_.end()) return;
  const auto commit = queues->second.find(queue_id);
  if (commit == queues->second.end() || commit->second != offset) return;
  queues->second.erase(commit);
  if (queues->second.empty()) commits_.erase(queues);
  ++changes_;
}

bool LocalCommits::contains(std::string_view key) const {
  MutexLock lock(mutex_);
  return commits_.contains(key);
}

GroupOffsets LocalCommits::all() const {
  MutexLock lock(mutex_);
  return commits_;
}

Result<> LocalCommits::save_if_changed() {
  MutexLock saving(save_mutex_);
  json::Value object = json::Value::object();
  std::int64_t changes = 0;
  {
    MutexLock lock(mutex_);
    changes = changes_;
    if (changes == saved_changes_) return {};
    object.set("offsetTable", to_json(commits_));
  }
  RMQ_CHECK(file_.save(json::write(object, json::kPrettySets)));
  saved_changes_ = changes;
  return {};
}

}  // namespace rmq::roles::broker
