#include "client/process_queue.h"

#include <algorithm>

namespace rmq::client {
namespace {

// What the strings and vectors of a message take besides their bytes, roughly.
constexpr std::size_t kMessageOverheadBytes = 1024;

}  // namespace

std::size_t cached_bytes(const ReceivedMessage& message) {
  std::size_t bytes = kMessageOverheadBytes + message.body.size();
  for (const auto& [name, value] : message.properties) bytes += name.size() + value.size();
  return bytes;
}

void ProcessQueue::put(const std::vector<MessagePtr>& messages) {
  for (const MessagePtr& message : messages) {
    if (!messages_.emplace(message->offset, Entry{message}).second) continue;
    bytes_ += cached_bytes(*message);
    put_end_ = std::max(put_end_, message->offset + 1);
  }
}

std::optional<QueueOffset> ProcessQueue::remove(const std::vector<MessagePtr>& messages) {
  bool any = false;
  for (const MessagePtr& message : messages) {
    const auto entry = messages_.find(message->offset);
    if (entry == messages_.end()) continue;
    any = true;
    bytes_ -= cached_bytes(*entry->second.message);
    if (entry->second.taken) --taken_;
    messages_.erase(entry);
  }
  if (!any) return std::nullopt;
  return messages_.empty() ? put_end_ : messages_.begin()->first;
}

std::vector<MessagePtr> ProcessQueue::take(std::size_t count) {
  std::vector<MessagePtr> taken;
  for (auto& [offset, entry] : messages_) {
    if (taken.size() == count || !has_untaken()) break;
    if (entry.taken) continue;
    entry.taken = true;
    ++taken_;
    taken.push_back(entry.message);
  }
  return taken;
}

void ProcessQueue::put_back(const std::vector<MessagePtr>& messages) {
  for (const MessagePtr& message : messages) {
    const auto entry = messages_.find(message->offset);
    if (entry == messages_.end() || !entry->second.taken) continue;
    entry->second.taken = false;
    --taken_;
  }
}

std::int64_t ProcessQueue::span() const { return messages_.empty() ? 0 : last() - first(); }

QueueOffset ProcessQueue::first() const {
  return messages_.empty() ? QueueOffset{} : messages_.begin()->first;
}

QueueOffset ProcessQueue::last() const {
  return messages_.empty() ? QueueOffset{} : messages_.rbegin()->first;
}

}  // namespace rmq::client
