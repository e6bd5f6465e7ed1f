#include "roles/broker/groups/group_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/topics/topic_attributes.h"
#include "roles/broker/topics/topic_names.h"

namespace rmq::roles::broker {

using protocol::SubscriptionGroupConfig;

namespace {

// Groups of the tools and of the broker itself; SubscriptionGroupManager.init.
constexpr std::array<std::string_view, 8> kSystemGroups{
    "TOOLS_CONSUMER",  "FILTERSRV_CONSUMER",    "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER",  "CID_RMQ_SYS_TRANS"};

}  // namespace

GroupTable::GroupTable(const BrokerConfig& config, Clock& clock, FileSystem& files,
                       const std::string& directory)
    : config_(config), clock_(clock), file_(files, directory + "/subscriptionGroup.json") {}

Result<> GroupTable::load(bool store_has_data) {
  protocol::SubscriptionGroupTableBody body;
  body.data_version.timestamp = clock_.now_ms();
  bool found = false;
  {
    MutexLock lock(save_mutex_);
    const Result<bool> loaded = file_.load([&](std::string_view text) -> Result<> {
      RMQ_TRY(body, protocol::decode_subscription_groups(text));
      return {};
    });
    if (!loaded) {
      const std::string why = loaded.error().message();
      if (store_has_data) {
        return fail(BrokerErrc::MetadataLost,
                    file_.path() + ": " + why +
                        ", but the store has messages. Restore the file, or write {} into it to "
                        "start without groups");
      }
      log::warn("groups", "unreadable file of an empty store is replaced", kv("file", file_.path()),
                kv("why", why));
    }
    found = loaded.value_or(false);
  }
  auto groups = std::make_shared<GroupTableMap>();
  for (auto& [name, config] : body.groups) groups->emplace(name, std::move(config));
  for (const std::string_view name : kSystemGroups) {
    SubscriptionGroupConfig config;
    config.group = name;
    groups->emplace(name, std::move(config));
  }
  {
    MutexLock lock(mutex_);
    data_version_ = body.data_version;
    for (const auto& [group, topics] : body.forbidden) {
      forbidden_[group].insert(topics.begin(), topics.end());
    }
    snapshot_.publish(std::move(groups));
    if (!found) version_ = 1;
  }
  return save_if_changed();
}

bool GroupTable::contains(std::string_view group) const {
  return snapshot_.load()->contains(group);
}

std::optional<SubscriptionGroupConfig> GroupTable::find(std::string_view group) const {
  const auto groups = snapshot_.load();
  const auto it = groups->find(group);
  if (it == groups->end()) return std::nullopt;
  return it->second;
}

std::optional<SubscriptionGroupConfig> GroupTable::find_or_create(std::string_view group) {
  if (auto known = find(group)) return known;
  const bool allowed =
      config_.auto_create_subscription_group || group.starts_with(kSystemGroupPrefix);
  if (!allowed || !check_group_name(group)) return std::nullopt;
  SubscriptionGroupConfig created;
  created.group = group;
  {
    MutexLock lock(mutex_);
    const auto groups = snapshot_.load();
    if (const auto it = groups->find(group); it != groups->end()) return it->second;
    put(created);
  }
  log::info("groups", "group created by a client", kv("group", group));
  announce();
  return created;
}

std::int32_t GroupTable::forbidden(std::string_view group, std::string_view topic) const {
  MutexLock lock(mutex_);
  const auto topics = forbidden_.find(group);
  if (topics == forbidden_.end()) return 0;
  const auto bits = topics->second.find(topic);
  return bits == topics->second.end() ? 0 : std::max(0, bits->second);
}

protocol::DataVersion GroupTable::data_version() const {
  MutexLock lock(mutex_);
  return data_version_;
}

protocol::SubscriptionGroupTableBody GroupTable::contents() const {
  protocol::SubscriptionGroupTableBody body;
  std::shared_ptr<const GroupTableMap> groups;
  {
    MutexLock lock(mutex_);
    body.data_version = data_version_;
    for (const auto& [group, topics] : forbidden_) {
      body.forbidden[group].insert(topics.begin(), topics.end());
    }
    groups = snapshot_.load();
  }
  body.groups.insert(groups->begin(), groups->end());
  return body;
}

Result<> GroupTable::update(SubscriptionGroupConfig config) {
  RMQ_CHECK(check_group_name(config.group));
  {
    MutexLock lock(mutex_);
    const auto groups = snapshot_.load();
    const auto old = groups->find(config.group);
    const bool creating = old == groups->end();
    RMQ_TRY(config.attributes,
            apply_group_attribute_changes(
                creating, creating ? Attributes{} : old->second.attributes, config.attributes));
    put(config);
  }
  log::info("groups", "group updated", kv("group", config.group),
            kv("consume_enable", config.consume_enable),
            kv("retry_max_times", config.retry_max_times));
  announce();
  return {};
}

bool GroupTable::erase(std::string_view group) {
  {
    MutexLock lock(mutex_);
    auto next = std::make_shared<GroupTableMap>(*snapshot_.load());
    const auto it = next->find(group);
    if (it == next->end()) return false;
    next->erase(it);
    if (const auto bits = forbidden_.find(group); bits != forbidden_.end()) forbidden_.erase(bits);
    publish(std::move(next));
  }
  log::info("groups", "group deleted", kv("group", group));
  announce();
  return true;
}

void GroupTable::follow(const protocol::SubscriptionGroupTableBody& body) {
  if (contents() == body) return;
  auto next = std::make_shared<GroupTableMap>();
  for (const auto& [name, group] : body.groups) next->insert_or_assign(name, group);
  {
    MutexLock lock(mutex_);
    publish(std::move(next));
    data_version_ = body.data_version;
    forbidden_.clear();
    for (const auto& [group, topics] : body.forbidden) {
      forbidden_[group].insert(topics.begin(), topics.end());
    }
  }
  announce();
}

void GroupTable::put(SubscriptionGroupConfig config) {
  auto next = std::make_shared<GroupTableMap>(*snapshot_.load());
  std::string name = config.group;
  next->insert_or_assign(std::move(name), std::move(config));
  publish(std::move(next));
}

void GroupTable::publish(Draft next) {
  data_version_.next(clock_.now_ms());
  version_.fetch_add(1, std::memory_order_release);
  snapshot_.publish(std::move(next));
}

void GroupTable::announce() const {
  if (on_change_) on_change_();
}

Result<> GroupTable::save_if_changed() {
  MutexLock saving(save_mutex_);
  const TableVersion version = this->version();
  if (saved_.value() >= version) return {};
  // A change from here on may be in the file, and is saved again.
  if (Result<> saved =
          file_.save(protocol::encode_subscription_groups(contents(), json::kPrettySets));
      !saved) {
    saved_.end_reign({make_error_code(BrokerErrc::NotSaved), saved.error().message()},
                     saved_.value());
    return saved;
  }
  saved_.advance(version);
  return {};
}

}  // namespace rmq::roles::broker
