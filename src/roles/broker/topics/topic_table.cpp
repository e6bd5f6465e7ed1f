#include "roles/broker/topics/topic_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "protocol/body_json.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker_errc.h"
#include "roles/broker/topics/topic_attributes.h"
#include "roles/broker/topics/topic_names.h"
#include "storage/delay_levels.h"

namespace rmq::roles::broker {

using protocol::ResponseCode;
using protocol::TopicConfig;

namespace {

constexpr std::int32_t kReadWrite = protocol::kPermRead | protocol::kPermWrite;
constexpr std::int32_t kScheduleQueues = 18;     // as in Java: one per level that it knows
constexpr std::int32_t kBenchmarkQueues = 1024;  // as in Java
constexpr std::int32_t kReviveQueues = 8;        // reviveQueueNum
constexpr std::int32_t kClusterQueues = 16;      // TopicConfig's default

std::string encode(const TopicTableMap& table, const protocol::DataVersion& version) {
  std::vector<const TopicConfig*> sorted;
  sorted.reserve(table.size());
  for (const auto& [name, config] : table) sorted.push_back(&config);
  std::sort(sorted.begin(), sorted.end(),
            [](const TopicConfig* a, const TopicConfig* b) { return a->topic < b->topic; });
  json::Value topics = json::Value::object();
  for (const TopicConfig* config : sorted) topics.set(config->topic, to_json(*config));
  json::Value object = json::Value::object();
  object.set("dataVersion", to_json(version));
  object.set("topicConfigTable", std::move(topics));
  return json::write(object, json::kPretty);
}

}  // namespace

TopicTable::TopicTable(const BrokerConfig& config, Clock& clock, FileSystem& files,
                       const std::string& directory)
    : config_(config), clock_(clock), file_(files, directory + "/topics.json") {}

void TopicTable::add_system_topics(TopicTableMap& table) {
  const auto add = [&table](std::string_view name, std::int32_t queues, std::int32_t perm) {
    TopicConfig topic;
    topic.topic = name;
    topic.read_queue_nums = topic.write_queue_nums = queues;
    topic.perm = perm;
    table.emplace(name, std::move(topic));
  };
  const auto add_own = [&](const std::string& name, std::int32_t queues, std::int32_t perm) {
    own_system_topics_.insert(name);
    add(name, queues, perm);
  };
  const auto inheritable = [](bool usable) {
    return protocol::kPermInherit | (usable ? kReadWrite : 0);
  };
  add(kSelfTestTopic, 1, kReadWrite);
  if (config_.auto_create_topic_enable) {
    add(kDefaultTopic, config_.default_topic_queue_nums, inheritable(true));
  }
  add(kBenchmarkTopic, kBenchmarkQueues, kReadWrite);
  add_own(config_.cluster_name, kClusterQueues, inheritable(config_.cluster_topic_enable));
  add_own(config_.broker_name, 1, inheritable(config_.broker_topic_enable));
  add(kOffsetMovedEventTopic, 1, kReadWrite);
  add(kScheduleTopic, kScheduleQueues, kReadWrite);
  // Java leaves levels beyond the 18th without a queue that anybody could see.
  const auto levels = storage::DelayLevels::parse(config_.store.message_delay_level);
  TopicConfig& waiting = table.find(kScheduleTopic)->second;
  for (std::int32_t* queues : {&waiting.read_queue_nums, &waiting.write_queue_nums}) {
    *queues = std::max(*queues, levels ? levels->count() : kScheduleQueues);
  }
  if (config_.trace_topic_enable) add_own(config_.msg_trace_topic_name, 1, kReadWrite);
  add_own(config_.cluster_name + "_REPLY_TOPIC", 1, kReadWrite);
  add("rmq_sys_REVIVE_LOG_" + config_.cluster_name, kReviveQueues, kReadWrite);
  add("rmq_sys_SYNC_BROKER_MEMBER_" + config_.broker_name, 1, protocol::kPermInherit);
  add(kTransactionHalfTopic, 1, kReadWrite);
  add(kTransactionOpTopic, 1, kReadWrite);
  add(kTimerTopic, 1, kReadWrite);
}

Result<> TopicTable::decode(std::string_view text, TopicTableMap& into,
                            protocol::DataVersion& version) {
  RMQ_TRY(const json::Value object, protocol::parse_body(text));
  version = protocol::data_version_from(object.find("dataVersion"));
  const json::Value* topics = protocol::object_member(object, "topicConfigTable");
  if (topics == nullptr) return {};
  for (const json::Member& member : topics->members()) {
    if (!member.value.is_object()) continue;
    TopicConfig topic = protocol::topic_config_from(member.value);
    topic.topic = member.key_text();
    std::string name = topic.topic;
    into.insert_or_assign(std::move(name), std::move(topic));
  }
  return {};
}

Result<> TopicTable::refuse_batch_queues(const TopicTableMap& table) const {
  for (const auto& [name, topic] : table) {
    if (!has_batch_queues(topic.attributes)) continue;
    return fail(BrokerErrc::NotSupported,
                file_.path() + ": topic " + name +
                    " has batch consume queues (queue.type=BatchCQ), which cannot be read; consume "
                    "it with Java and delete it first");
  }
  return {};
}

Result<> TopicTable::check_file() {
  TopicTableMap table;
  protocol::DataVersion version;
  MutexLock lock(save_mutex_);
  (void)file_.load([&](std::string_view text) { return decode(text, table, version); });
  return refuse_batch_queues(table);
}

Result<> TopicTable::load(bool store_has_data) {
  auto table = std::make_shared<TopicTableMap>();
  protocol::DataVersion version{.timestamp = clock_.now_ms()};
  bool found = false;
  {
    MutexLock lock(save_mutex_);
    const Result<bool> loaded =
        file_.load([&](std::string_view text) { return decode(text, *table, version); });
    if (!loaded || (!*loaded && store_has_data)) {
      const std::string why =
          loaded ? "neither it nor its backup exists" : loaded.error().message();
      if (store_has_data) {
        return fail(BrokerErrc::MetadataLost,
                    file_.path() + ": " + why +
                        ", but the store has messages. Restore the file, or write {} into it to "
                        "start without topics");
      }
      log::warn("topics", "unreadable file of an empty store is replaced", kv("file", file_.path()),
                kv("why", why));
    }
    found = loaded.value_or(false);
    RMQ_CHECK(refuse_batch_queues(*table));
  }
  add_system_topics(*table);  // what the file says of them wins
  {
    MutexLock lock(mutex_);
    data_version_ = version;
    snapshot_.publish(std::move(table));
    if (!found) version_ = 1;
  }
  // Written at once, so that a missing file always means a lost one.
  return save_if_changed();
}

std::optional<TopicConfig> TopicTable::find(std::string_view topic) const {
  const auto table = snapshot_.load();
  const auto it = table->find(topic);
  if (it == table->end()) return std::nullopt;
  return it->second;
}

bool TopicTable::contains(std::string_view topic) const {
  return snapshot_.load()->contains(topic);
}

bool TopicTable::is_order_topic(std::string_view topic) const {
  const auto table = snapshot_.load();
  const auto it = table->find(topic);
  return it != table->end() && it->second.order;
}

bool TopicTable::is_system(std::string_view topic) const {
  return is_well_known_system_topic(topic) || own_system_topics_.contains(topic);
}

protocol::DataVersion TopicTable::data_version() const {
  MutexLock lock(mutex_);
  return data_version_;
}

std::pair<std::shared_ptr<const TopicTableMap>, protocol::DataVersion> TopicTable::contents()
    const {
  MutexLock lock(mutex_);
  return {snapshot_.load(), data_version_};
}

TopicTable::Draft TopicTable::draft() const {
  return std::make_shared<TopicTableMap>(*snapshot_.load());
}

void TopicTable::publish(Draft next) {
  data_version_.next(clock_.now_ms(), reign_);
  version_.fetch_add(1, std::memory_order_release);
  snapshot_.publish(std::move(next));
}

void TopicTable::put(TopicConfig topic) {
  Draft next = draft();
  const bool created = !next->contains(topic.topic);
  changed_.insert(topic.topic);
  std::string name = topic.topic;
  // Before the topic is visible: who sees it must find what to wait for.
  if (created) unsaved_.insert_or_assign(name, TableVersion{version_.load() + 1});
  next->insert_or_assign(std::move(name), std::move(topic));
  publish(std::move(next));
}

void TopicTable::announce() const {
  if (on_change_) on_change_();
}

std::optional<TopicConfig> TopicTable::create_in_send(std::string_view topic,
                                                      std::string_view default_topic,
                                                      std::int32_t client_queue_nums,
                                                      std::int32_t topic_sys_flag,
                                                      std::string_view peer) {
  TopicConfig created;
  {
    MutexLock lock(mutex_);
    const auto table = snapshot_.load();
    if (const auto it = table->find(topic); it != table->end()) return it->second;
    const auto model = table->find(default_topic);
    // TBW102 may be in the file of a broker that once created topics.
    const bool inheritable = model != table->end() &&
                             (model->second.perm & protocol::kPermInherit) != 0 &&
                             (default_topic != kDefaultTopic || config_.auto_create_topic_enable);
    if (!inheritable) {
      log::warn("topics", "topic not created: no model to inherit from", kv("topic", topic),
                kv("model", default_topic), kv("peer", peer));
      return std::nullopt;
    }
    created.topic = topic;
    created.read_queue_nums =
        std::max(0, std::min(client_queue_nums, model->second.write_queue_nums));
    created.write_queue_nums = created.read_queue_nums;
    created.perm = model->second.perm & ~protocol::kPermInherit;
    created.topic_sys_flag = topic_sys_flag;
    created.filter_type = model->second.filter_type;
    put(created);
  }
  log::info("topics", "topic created by a send", kv("topic", topic), kv("model", default_topic),
            kv("queues", created.write_queue_nums), kv("peer", peer));
  announce();
  return created;
}

TopicConfig TopicTable::create_if_absent(const TopicConfig& wanted) {
  TopicConfig result = wanted;
  {
    MutexLock lock(mutex_);
    const auto table = snapshot_.load();
    if (const auto it = table->find(wanted.topic); it != table->end()) {
      if (it->second.order == wanted.order) return it->second;
      result = it->second;
      result.order = wanted.order;
    }
    put(result);
  }
  log::info("topics", "topic created by the broker", kv("topic", result.topic),
            kv("queues", result.write_queue_nums));
  announce();
  return result;
}

Result<TopicConfig> TopicTable::update(TopicConfig config, std::string_view attribute_changes) {
  RMQ_CHECK(check_topic_name(config.topic));
  if (is_system(config.topic)) {
    return fail(ResponseCode::InvalidParameter,
                "The topic[" + config.topic + "] is conflict with system topic.");
  }
  RMQ_TRY(const Attributes changes, parse_attribute_changes(attribute_changes));
  if (const auto type = changes.find("+message.type");
      type != changes.end() && type->second == "MIXED") {
    return fail(ResponseCode::InvalidParameter, "MIXED message type is not supported.");
  }
  {
    MutexLock lock(mutex_);
    const auto table = snapshot_.load();
    const auto old = table->find(config.topic);
    const bool creating = old == table->end();
    RMQ_TRY(config.attributes,
            apply_topic_attribute_changes(
                creating, creating ? Attributes{} : old->second.attributes, changes));
    if (!creating && old->second == config) return config;
    put(config);
  }
  log::info("topics", "topic updated", kv("topic", config.topic), kv("perm", config.perm),
            kv("read_queues", config.read_queue_nums), kv("write_queues", config.write_queue_nums));
  announce();
  return config;
}

bool TopicTable::from_backup() {
  MutexLock lock(save_mutex_);
  return file_.from_backup();
}

void TopicTable::restore(const std::vector<std::pair<std::string, QueueId>>& queues) {
  std::map<std::string, QueueId> missing;  // and the last queue of each
  for (const auto& [topic, queue_id] : queues) {
    if (contains(topic)) continue;
    QueueId& last = missing[topic];
    last = std::max(last, queue_id);
  }
  for (const auto& [topic, last] : missing) {
    log::warn("topics", "topic has messages, but is not in the table: made again",
              kv("topic", topic), kv("queues", last + 1));
    TopicConfig wanted;
    wanted.topic = topic;
    wanted.read_queue_nums = wanted.write_queue_nums = last + 1;
    create_if_absent(wanted);
  }
}

void TopicTable::begin_reign(std::int32_t epoch) {
  {
    MutexLock lock(mutex_);
    reign_ = epoch;
  }
  new_version();
}

void TopicTable::new_version() {
  {
    MutexLock lock(mutex_);
    publish(draft());
  }
  announce();
}

bool TopicTable::erase(std::string_view topic) {
  {
    MutexLock lock(mutex_);
    Draft next = draft();
    const auto it = next->find(topic);
    if (it == next->end()) return false;
    next->erase(it);
    if (const auto unsaved = unsaved_.find(topic); unsaved != unsaved_.end()) {
      unsaved_.erase(unsaved);
    }
    publish(std::move(next));
  }
  log::info("topics", "topic deleted", kv("topic", topic));
  announce();
  return true;
}

std::optional<TableVersion> TopicTable::unsaved(std::string_view topic) const {
  if (saved_.value() >= version()) return std::nullopt;
  MutexLock lock(mutex_);
  const auto it = unsaved_.find(topic);
  if (it == unsaved_.end()) return std::nullopt;
  return it->second;
}

Result<> TopicTable::save_if_changed() {
  MutexLock saving(save_mutex_);
  std::shared_ptr<const TopicTableMap> table;
  protocol::DataVersion data_version;
  TableVersion version;
  {
    MutexLock lock(mutex_);
    version = TableVersion{version_.load()};
    if (saved_.value() >= version) return {};
    table = snapshot_.load();
    data_version = data_version_;
  }
  if (Result<> saved = file_.save(encode(*table, data_version)); !saved) {
    saved_.end_reign({make_error_code(BrokerErrc::NotSaved), saved.error().message()},
                     saved_.value());
    return saved;
  }
  {
    MutexLock lock(mutex_);
    std::erase_if(unsaved_, [&](const auto& entry) { return entry.second <= version; });
  }
  saved_.advance(version);
  return {};
}

std::vector<TopicConfig> TopicTable::take_changed() {
  MutexLock lock(mutex_);
  const auto table = snapshot_.load();
  std::vector<TopicConfig> changed;
  for (const std::string& name : changed_) {
    if (const auto it = table->find(name); it != table->end()) changed.push_back(it->second);
  }
  changed_.clear();
  return changed;
}

}  // namespace rmq::roles::broker
