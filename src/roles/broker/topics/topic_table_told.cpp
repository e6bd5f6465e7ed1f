// What a name server or a master says of this broker's topics.
#include <utility>

#include "roles/broker/topics/topic_table.h"

namespace rmq::roles::broker {

using protocol::TopicConfig;

void TopicTable::mark_order_topics(const std::vector<std::string>& topics) {
  {
    MutexLock lock(mutex_);
    Draft next;
    for (const std::string& topic : topics) {
      const auto table = snapshot_.load();
      const auto it = table->find(topic);
      if (it == table->end() || it->second.order) continue;
      if (!next) next = draft();
      next->find(topic)->second.order = true;
    }
    if (!next) return;
    publish(std::move(next));
  }
  announce();
}

std::vector<std::string> TopicTable::follow(const std::vector<TopicConfig>& topics,
                                            const protocol::DataVersion& version) {
  auto next = std::make_shared<TopicTableMap>();
  for (const TopicConfig& topic : topics) next->insert_or_assign(topic.topic, topic);
  std::vector<std::string> gone;
  {
    MutexLock lock(mutex_);
    const auto now = snapshot_.load();
    if (*now == *next && data_version_ == version) return gone;
    for (const auto& [name, topic] : *now) {
      if (!next->contains(name)) gone.push_back(name);
    }
    for (const auto& [name, topic] : *next) {
      const auto before = now->find(name);
      if (before == now->end() || before->second != topic) changed_.insert(name);
    }
    publish(std::move(next));
    data_version_ = version;
  }
  announce();
  return gone;
}

}  // namespace rmq::roles::broker
