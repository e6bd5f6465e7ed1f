#include "client/local_offsets.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "client/group_calls.h"
#include "net/await.h"

namespace rmq::client {
namespace {

using Table = std::map<MessageQueue, QueueOffset>;

std::string encode(const Table& table) {
  json::Value offsets = json::Value::object();
  for (const auto& [queue, offset] : table) {
    offsets.set_object_key(protocol::to_json(to_protocol(queue)), json::Value(offset.value));
  }
  json::Value object = json::Value::object();
  object.set("offsetTable", std::move(offsets));
  return json::write(object, json::kPretty);
}

Result<Table> decode(std::string_view text) {
  RMQ_TRY(const json::Value object, json::parse(text));
  Table table;
  const json::Value* offsets = object.find("offsetTable");
  if (offsets == nullptr) return table;
  for (const json::Member& member : offsets->members()) {
    const MessageQueue queue = from_protocol(protocol::message_queue_from(member.key_object()));
    const auto offset = member.value.as_int();
    if (!queue.topic.empty() && offset) table[queue] = QueueOffset{*offset};
  }
  return table;
}

// The file, or the version before when it is damaged or missing; empty when there is neither.
Result<Table> read_table(FileSystem& files, const std::string& path) {
  Error failure;
  for (const std::string& name : {path, path + ".bak"}) {
    RMQ_TRY(const bool exists, files.exists(name));
    if (!exists) continue;
    RMQ_TRY(const std::string text, read_text_file(files, name));
    Result<Table> table = decode(text);
    if (table) return table;
    failure = std::move(table.error());
    failure.detail = name + ": " + failure.detail;
    log::warn("client", "file of offsets is damaged", kv("why", failure.message()));
  }
  if (failure.code) return fail(std::move(failure));
  return Table{};
}

// Runs `work` on `pool` and waits for it without blocking. It is always taken: one thing at a time.
net::Task<> run_on(BlockingPool& pool, std::function<void()> work) {
  const net::Event done;
  const bool taken = pool.submit([done, work = std::move(work)] {
    work();
    done.set();
  });
  if (taken) (void)co_await done.wait_until(SteadyTime::max());
}

}  // namespace

std::string default_offsets_directory() {
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.rocketmq_offsets";
}

LocalOffsets::LocalOffsets(FileSystem& files, const std::string& directory,
                           const std::string& client_id, const std::string& group)
    : files_(files), path_(directory + "/" + client_id + "/" + group + "/offsets.json") {}

net::Task<Result<>> LocalOffsets::read_once() {
  if (kept_) co_return Result<>{};
  const auto read = std::make_shared<Result<Table>>();
  std::function<void()> work = [this, read] { *read = read_table(files_, path_); };
  co_await run_on(disk_, std::move(work));
  if (!*read) co_return fail(read->error());
  if (!kept_) kept_ = std::move(**read);
  co_return Result<>{};
}

net::Task<Result<std::optional<QueueOffset>>> LocalOffsets::load(MessageQueue queue) {
  RMQ_CO_CHECK(co_await read_once());
  const auto entry = kept_->find(queue);
  if (entry == kept_->end()) co_return std::optional<QueueOffset>();
  co_return std::optional<QueueOffset>(entry->second);
}

net::Task<> LocalOffsets::persist(std::vector<MessageQueue> queues) {
  const Result<> there = co_await read_once();
  if (!there) co_return;  // not over what could not be read
  bool changed = false;
  for (const MessageQueue& queue : queues) {
    const auto entry = offsets_.find(queue);
    if (entry == offsets_.end() || !entry->second.changed) continue;
    (*kept_)[queue] = entry->second.offset;
    entry->second.changed = false;
    changed = true;
  }
  if (!changed) co_return;
  const auto text = std::make_shared<std::string>(encode(*kept_));
  const auto written = std::make_shared<Result<>>();
  std::function<void()> work = [this, text, written] {
    *written = files_.make_directories(parent_directory(path_));
    if (*written) {
      *written = write_file_atomically(files_, path_, as_bytes(*text), Backup::Keep);
    }
  };
  co_await run_on(disk_, std::move(work));
  if (*written) co_return;
  log::warn("client", "offsets not written, trying again", kv("file", path_),
            kv("why", written->error().message()));
  for (const MessageQueue& queue : queues) {
    const auto entry = offsets_.find(queue);
    if (entry != offsets_.end()) entry->second.changed = true;
  }
}

}  // namespace rmq::client
