#include "roles/broker/clients/client_registry.h"

#include <utility>

#include "base/log.h"

namespace rmq::roles::broker {

using protocol::ConsumerData;
using protocol::MessageModel;
using protocol::SubscriptionData;

namespace {

bool same_head(const GroupSubscription& subscription, const ConsumerData& data) {
  return subscription.consume_type == data.consume_type &&
         subscription.message_model == data.message_model &&
         subscription.consume_from_where == data.consume_from_where;
}

// FilterAPI.java and DefaultMessageFilter.java: class filters judge on the client.
protocol::TagFilter tags_of(const SubscriptionData& subscription) {
  if (subscription.class_filter_mode) return {};
  Result<protocol::TagFilter> filter = protocol::TagFilter::parse(subscription.sub_string);
  return filter ? std::move(*filter) : protocol::TagFilter::nothing();
}

// What updating the group's topics by one heartbeat did.
struct TopicsUpdate {
  bool replaced = false;  // anything is different now
  bool changed = false;   // topics came or went: the group must look again
};

TopicsUpdate update_topics(std::string_view group, const std::vector<SubscriptionData>& wanted,
                           StringMap<TopicSubscription>& topics) {
  TopicsUpdate update;
  StringSet names;
  for (const SubscriptionData& subscription : wanted) {
    names.insert(subscription.topic);
    const auto [it, is_new] = topics.try_emplace(subscription.topic, subscription);
    if (is_new) {
      update.replaced = update.changed = true;
      log::info("clients", "group subscribes to a topic", kv("group", group),
                kv("topic", subscription.topic), kv("expression", subscription.sub_string));
    } else if (subscription.sub_version > it->second.data.sub_version) {
      if (it->second.data.sub_string != subscription.sub_string) {
        log::info("clients", "group changes its expression", kv("group", group),
                  kv("topic", subscription.topic), kv("expression", subscription.sub_string));
      }
      it->second = TopicSubscription(subscription);
      update.replaced = true;
    }
  }
  const std::size_t dropped = std::erase_if(topics, [&](const auto& entry) {
    if (names.contains(entry.first)) return false;
    log::warn("clients", "group no longer subscribes to a topic", kv("group", group),
              kv("topic", entry.first));
    return true;
  });
  if (dropped > 0) update.replaced = update.changed = true;
  return update;
}

}  // namespace

TopicSubscription::TopicSubscription(const SubscriptionData& subscription)
    : data(subscription), tags(tags_of(subscription)) {}

bool from_last_offset(const GroupSubscription& group) {
  using protocol::ConsumeFromWhere;
  return group.consume_from_where && *group.consume_from_where != ConsumeFromWhere::FirstOffset &&
         *group.consume_from_where != ConsumeFromWhere::Timestamp;
}

ClientRegistry::ClientRegistry(Clock& clock, std::chrono::milliseconds expiry)
    : clock_(clock), expiry_(expiry) {}

void ClientRegistry::register_producer(std::string_view group, const Client& client) {
  MutexLock lock(mutex_);
  Members& members = producers_.try_emplace(std::string(group)).first->second;
  const auto [it, is_new] = members.try_emplace(client.connection_id, client);
  it->second.last_update_ms = clock_.now_ms();
  if (!is_new) return;
  roles_[client.connection_id].producer_groups.emplace(group);
  producer_ids_.insert_or_assign(client.client_id, client.connection_id);
  log::info("clients", "producer connected", kv("group", group), kv("client", client.client_id),
            kv("address", client.address));
}

ClientRegistry::Registered ClientRegistry::register_consumer(const ConsumerData& data,
                                                             const Client& client,
                                                             std::int32_t fingerprint,
                                                             bool without_sub, bool notify) {
  std::optional<Change> change;
  Registered result;
  {
    MutexLock lock(mutex_);
    ConsumerGroup& group = consumers_.try_emplace(data.group).first->second;
    group.notify = notify;
    result.send_subscriptions = (group.fingerprint && *group.fingerprint != fingerprint) ||
                                (without_sub && group.subscription->topics.empty());
    group.fingerprint = fingerprint;
    const auto [member, is_new] = group.members.try_emplace(client.connection_id, client);
    if (is_new) {
      result.changed = true;
      roles_[client.connection_id].consumer_groups.insert(data.group);
      log::info("clients", "consumer connected", kv("group", data.group),
                kv("client", client.client_id), kv("address", client.address));
    } else if (member->second.client_id != client.client_id) {
      log::error("clients", "a connection changes its client id", kv("group", data.group),
                 kv("from", member->second.client_id), kv("to", client.client_id));
      member->second = client;
    }
    member->second.last_update_ms = clock_.now_ms();

    auto next = std::make_shared<GroupSubscription>(*group.subscription);
    bool replace = !same_head(*next, data);
    next->consume_type = data.consume_type;
    next->message_model = data.message_model;
    next->consume_from_where = data.consume_from_where;
    if (!without_sub) {
      const TopicsUpdate update = update_topics(data.group, data.subscriptions, next->topics);
      replace = replace || update.replaced;
      result.changed = result.changed || update.changed;
    }
    if (replace) group.subscription = std::move(next);
    if (result.changed) change = change_of(data.group, group);
  }
  tell(std::move(change));
  return result;
}

void ClientRegistry::unregister_producer(std::string_view group, ConnectionId connection) {
  MutexLock lock(mutex_);
  remove_producer(std::string(group), connection);
}

void ClientRegistry::unregister_consumer(std::string_view group, ConnectionId connection,
                                         bool notify) {
  std::optional<Change> change;
  {
    MutexLock lock(mutex_);
    if (const auto it = consumers_.find(group); it != consumers_.end()) it->second.notify = notify;
    change = remove_member(std::string(group), connection);
  }
  tell(std::move(change));
}

void ClientRegistry::connection_closed(ConnectionId connection) {
  std::vector<Change> changes;
  {
    MutexLock lock(mutex_);
    const auto found = roles_.find(connection);
    if (found == roles_.end()) return;
    const Roles roles = found->second;  // the removals below change it
    for (const std::string& group : roles.producer_groups) remove_producer(group, connection);
    for (const std::string& group : roles.consumer_groups) {
      if (auto change = remove_member(group, connection)) changes.push_back(std::move(*change));
    }
  }
  for (Change& change : changes) tell(std::move(change));
}

std::vector<Client> ClientRegistry::expire() {
  std::vector<Client> expired;
  std::vector<Change> changes;
  {
    MutexLock lock(mutex_);
    const std::int64_t oldest = clock_.now_ms() - expiry_.count();
    std::vector<std::pair<std::string, ConnectionId>> producers;
    std::vector<std::pair<std::string, ConnectionId>> consumers;
    const auto collect = [&](const std::string& group, const Members& members, auto& into) {
      for (const auto& [id, client] : members) {
        if (client.last_update_ms >= oldest) continue;
        into.emplace_back(group, id);
        expired.push_back(client);
      }
    };
    for (const auto& [group, members] : producers_) collect(group, members, producers);
    for (const auto& [group, state] : consumers_) collect(group, state.members, consumers);
    for (const auto& [group, id] : producers) remove_producer(group, id);
    for (const auto& [group, id] : consumers) {
      if (auto change = remove_member(group, id)) changes.push_back(std::move(*change));
    }
  }
  for (const Client& client : expired) {
    log::warn("clients", "silent client forgotten", kv("client", client.client_id),
              kv("address", client.address));
  }
  for (Change& change : changes) tell(std::move(change));
  return expired;
}

void ClientRegistry::remove_producer(const std::string& group, ConnectionId connection) {
  const auto members = producers_.find(group);
  if (members == producers_.end()) return;
  const auto member = members->second.find(connection);
  if (member == members->second.end()) return;
  const std::string client_id = std::move(member->second.client_id);
  members->second.erase(member);
  log::info("clients", "producer gone", kv("group", group), kv("connection", connection));
  if (members->second.empty()) producers_.erase(members);
  forget_role(connection, &Roles::producer_groups, group);
  const auto roles = roles_.find(connection);
  if (roles != roles_.end() && !roles->second.producer_groups.empty()) return;
  const auto newest = producer_ids_.find(client_id);
  if (newest != producer_ids_.end() && newest->second == connection) producer_ids_.erase(newest);
}

std::optional<ClientRegistry::Change> ClientRegistry::remove_member(const std::string& group,
                                                                    ConnectionId connection) {
  const auto state = consumers_.find(group);
  if (state == consumers_.end() || state->second.members.erase(connection) == 0) {
    return std::nullopt;
  }
  log::info("clients", "consumer gone", kv("group", group), kv("connection", connection));
  forget_role(connection, &Roles::consumer_groups, group);
  std::optional<Change> change = change_of(group, state->second);
  if (state->second.members.empty()) consumers_.erase(state);
  return change;
}

void ClientRegistry::forget_role(ConnectionId connection, std::set<std::string> Roles::*groups,
                                 const std::string& group) {
  const auto roles = roles_.find(connection);
  if (roles == roles_.end()) return;
  (roles->second.*groups).erase(group);
  if (roles->second.producer_groups.empty() && roles->second.consumer_groups.empty()) {
    roles_.erase(roles);
  }
}

std::optional<ClientRegistry::Change> ClientRegistry::change_of(const std::string& group,
                                                                const ConsumerGroup& state) const {
  const bool broadcast = state.subscription->message_model == MessageModel::Broadcasting;
  if (!state.notify || broadcast || state.members.empty()) return std::nullopt;
  Change change{.group = group, .members = {}};
  for (const auto& [id, client] : state.members) change.members.push_back(client);
  return change;
}

void ClientRegistry::tell(std::optional<Change> change) const {
  if (change && on_group_changed_) on_group_changed_(change->group, std::move(change->members));
}

std::shared_ptr<const GroupSubscription> ClientRegistry::subscription(
    std::string_view group) const {
  MutexLock lock(mutex_);
  const auto it = consumers_.find(group);
  return it == consumers_.end() ? nullptr : it->second.subscription;
}

std::vector<Client> ClientRegistry::list(const Members* members) {
  std::vector<Client> clients;
  if (members == nullptr) return clients;
  clients.reserve(members->size());
  for (const auto& [id, client] : *members) clients.push_back(client);
  return clients;
}

std::vector<Client> ClientRegistry::consumers(std::string_view group) const {
  MutexLock lock(mutex_);
  const auto it = consumers_.find(group);
  return list(it == consumers_.end() ? nullptr : &it->second.members);
}

std::vector<Client> ClientRegistry::producers(std::string_view group) const {
  MutexLock lock(mutex_);
  const auto it = producers_.find(group);
  return list(it == producers_.end() ? nullptr : &it->second);
}

std::vector<std::string> ClientRegistry::consumer_ids(std::string_view group) const {
  std::vector<std::string> ids;
  for (Client& client : consumers(group)) ids.push_back(std::move(client.client_id));
  return ids;
}

std::optional<Client> ClientRegistry::find_consumer(std::string_view group,
                                                    std::string_view client_id) const {
  for (Client& client : consumers(group)) {
    if (client.client_id == client_id) return std::move(client);
  }
  return std::nullopt;
}

bool ClientRegistry::is_consumer(std::string_view group, ConnectionId connection) const {
  MutexLock lock(mutex_);
  const auto it = consumers_.find(group);
  return it != consumers_.end() && it->second.members.contains(connection);
}

std::optional<Client> ClientRegistry::find_producer(std::string_view client_id) const {
  MutexLock lock(mutex_);
  const auto newest = producer_ids_.find(client_id);
  if (newest == producer_ids_.end()) return std::nullopt;
  const std::string& group = *roles_.at(newest->second).producer_groups.begin();
  return producers_.find(group)->second.at(newest->second);
}

std::vector<std::string> ClientRegistry::groups_of(std::string_view topic) const {
  MutexLock lock(mutex_);
  std::vector<std::string> groups;
  for (const auto& [group, state] : consumers_) {
    if (state.subscription->find(topic) != nullptr) groups.push_back(group);
  }
  return groups;
}

std::vector<std::string> ClientRegistry::producer_groups() const {
  MutexLock lock(mutex_);
  std::vector<std::string> groups;
  for (const auto& [group, members] : producers_) groups.push_back(group);
  return groups;
}

}  // namespace rmq::roles::broker
