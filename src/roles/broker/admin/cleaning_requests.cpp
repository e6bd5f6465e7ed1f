#include "roles/broker/admin/cleaning_requests.h"

#include <set>
#include <string>

#include "base/log.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

Result<Response> on_delete_expired_commitlog(Broker& broker,
                                             const protocol::DeleteExpiredCommitlogRequest&) {
  broker.store->delete_expired();
  return respond();
}

Result<Response> on_clean_expired_consumequeue(Broker&,
                                               const protocol::CleanExpiredConsumequeueRequest&) {
  return respond();
}

Result<Response> on_clean_unused_topic(Broker& broker, const protocol::CleanUnusedTopicRequest&) {
  // Before the topics are looked at: one that is made later has no messages before it.
  const PhysicalOffset end{broker.store->dispatched().value().value};
  std::set<std::string> unused;
  for (const auto& [topic, queue_id] : broker.store->queues()) {
    const bool used = broker.topics.contains(topic) || broker.topics.is_system(topic);
    if (!used) unused.insert(topic);
  }
  for (const std::string& topic : unused) {
    RMQ_CHECK(broker.store->delete_messages(topic, end));
    log::info("topics", "messages of a topic that does not exist deleted", kv("topic", topic));
  }
  return respond();
}

}  // namespace rmq::roles::broker
