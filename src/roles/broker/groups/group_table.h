// GroupTable: the consumer groups of one broker and the file subscriptionGroup.json.
// Format (SubscriptionGroupManager.java):
// {"dataVersion":{...},"forbiddenTable":{group:{topic:bits}},
// "subscriptionGroupTable":{group:SubscriptionGroupConfig}}, pretty, alphabetical.
// Threads: any, except load(). Readers of the snapshot take no lock (SnapshotReader).
// Crash: the file or its backup is whole. A group that a client's request created may be missing
// after a crash; the client's next heartbeat creates it again, with the same settings.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "base/string_map.h"
#include "base/watermark.h"
#include "protocol/group_body.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/metadata_file.h"
#include "roles/broker/table_version.h"

namespace rmq::roles::broker {

using GroupTableMap = StringMap<protocol::SubscriptionGroupConfig>;

class GroupTable {
 public:
  // `directory` holds subscriptionGroup.json. All references outlive the table.
  GroupTable(const BrokerConfig& config, Clock& clock, FileSystem& files,
             const std::string& directory);

  // Reads the file and adds the groups that every broker has. Errors: BrokerErrc::MetadataLost when
  // the file and its backup exist but cannot be read and `store_has_data`. Before any other call,
  // once.
  Result<> load(bool store_has_data);

  const Snapshot<GroupTableMap>& snapshot() const { return snapshot_; }
  bool contains(std::string_view group) const;
  std::optional<protocol::SubscriptionGroupConfig> find(std::string_view group) const;
  // Creates the group with default settings when that is allowed (autoCreateSubscriptionGroup, or a
  // system group); nothing when it is unknown and may not be created, or its name is not allowed.
  std::optional<protocol::SubscriptionGroupConfig> find_or_create(std::string_view group);
  // What a group may not do with a topic, as bits; 0 is nothing forbidden.
  std::int32_t forbidden(std::string_view group, std::string_view topic) const;
  protocol::DataVersion data_version() const;
  // The whole table, from one moment: for GET_ALL_SUBSCRIPTIONGROUP_CONFIG.
  protocol::SubscriptionGroupTableBody contents() const;

  // UPDATE_AND_CREATE_SUBSCRIPTIONGROUP. The attributes of `config` are changes ("+key"). Errors:
  // ResponseCode::InvalidParameter (name), SystemError (attributes), with Java's remarks.
  Result<> update(protocol::SubscriptionGroupConfig config);
  // False when there was none.
  bool erase(std::string_view group);
  // A slave takes over its master's groups and their version.
  void follow(const protocol::SubscriptionGroupTableBody& body);

  // The change that is visible now, and the last one on disk: an administrator's answer waits for
  // it.
  TableVersion version() const { return TableVersion{version_.load(std::memory_order_acquire)}; }
  Watermark<TableVersion>& saved() { return saved_; }
  // Writes what changed since the last save; waits for the disk, so not on a data thread. Then
  // advances saved(). Errors: errno; the changes stay to be saved.
  Result<> save_if_changed();
  // As TopicTable::on_change.
  void on_change(std::function<void()> listener) { on_change_ = std::move(listener); }

 private:
  using Draft = std::shared_ptr<GroupTableMap>;
  using ForbiddenTable = std::map<std::string, std::map<std::string, std::int32_t, std::less<>>,
                                  std::less<>>;  // group -> topic -> bits

  void publish(Draft next) RMQ_REQUIRES(mutex_);
  void announce() const;
  void put(protocol::SubscriptionGroupConfig config) RMQ_REQUIRES(mutex_);

  const BrokerConfig& config_;
  Clock& clock_;
  std::function<void()> on_change_;

  mutable Mutex mutex_;
  Snapshot<GroupTableMap> snapshot_;  // replaced under mutex_
  protocol::DataVersion data_version_ RMQ_GUARDED_BY(mutex_);
  ForbiddenTable forbidden_ RMQ_GUARDED_BY(mutex_);
  std::atomic<std::int64_t> version_{0};

  Mutex save_mutex_;  // one save at a time; taken before mutex_
  MetadataFile file_ RMQ_GUARDED_BY(save_mutex_);
  Watermark<TableVersion> saved_;
};

}  // namespace rmq::roles::broker
