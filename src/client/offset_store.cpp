#include "client/offset_store.h"

#include <functional>
#include <utility>

#include "base/log.h"
#include "client/client_errc.h"
#include "client/group_calls.h"
#include "net/gather.h"
#include "protocol/route_body.h"

namespace rmq::client {

void OffsetStore::advance(const MessageQueue& queue, QueueOffset offset) {
  const auto [entry, added] = offsets_.try_emplace(queue, Progress{offset, true});
  if (added || offset <= entry->second.offset) return;
  entry->second = {offset, true};
}

void OffsetStore::set(const MessageQueue& queue, QueueOffset offset) {
  offsets_[queue] = {offset, true};
}

std::optional<QueueOffset> OffsetStore::find(const MessageQueue& queue) const {
  const auto entry = offsets_.find(queue);
  if (entry == offsets_.end()) return std::nullopt;
  return entry->second.offset;
}

net::Task<Result<std::string>> BrokerOffsets::address_of(const MessageQueue& queue) {
  RMQ_CO_TRY(const SharedRoute route,
             co_await client_.routes().get(queue.topic, kGroupCallTimeout));
  auto address = route->read_address(queue.broker_name, protocol::kMasterId);
  if (!address) {
    co_return fail(
        ClientErrc::BrokerUnknown,
        "'" + queue.broker_name + "' is not in the route of topic '" + queue.topic + "'");
  }
  co_return std::move(*address);
}

net::Task<Result<std::optional<QueueOffset>>> BrokerOffsets::load(MessageQueue queue) {
  RMQ_CO_TRY(std::string address, co_await address_of(queue));
  Result<std::optional<QueueOffset>> kept =
      co_await committed_offset(client_.rpc(), std::move(address), group_, queue);
  co_return kept;
}

net::Task<bool> BrokerOffsets::persist_one(MessageQueue queue, QueueOffset offset) {
  const Result<std::string> address = co_await address_of(queue);
  if (!address) co_return false;
  const Result<> committed = co_await commit_offset(client_.rpc(), *address, group_, queue, offset);
  if (committed) co_return true;
  log::warn("client", "offset not committed, trying again", kv("group", group_),
            kv("topic", queue.topic), kv("queue", queue.queue_id),
            kv("why", committed.error().message()));
  co_return false;
}

net::Task<> BrokerOffsets::persist(std::vector<MessageQueue> queues) {
  std::vector<std::pair<MessageQueue, QueueOffset>> changed;
  std::vector<std::function<net::Task<bool>()>> commits;
  for (const MessageQueue& queue : queues) {
    const auto entry = offsets_.find(queue);
    if (entry == offsets_.end() || !entry->second.changed) continue;
    const QueueOffset offset = entry->second.offset;
    changed.emplace_back(queue, offset);
    commits.push_back([this, queue, offset] { return persist_one(queue, offset); });
  }
  if (commits.empty()) co_return;
  const std::vector<bool> done =
      co_await net::gather<bool>(client_.threads().control(), std::move(commits));
  for (std::size_t i = 0; i < changed.size(); ++i) {
    const auto entry = offsets_.find(changed[i].first);
    // It may have gone on meanwhile.
    if (!done[i] || entry == offsets_.end() || entry->second.offset != changed[i].second) continue;
    entry->second.changed = false;
  }
}

}  // namespace rmq::client
