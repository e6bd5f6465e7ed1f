// TopicTable: the topics of one broker and the file topics.json.
// Format (TopicConfigManager.java): {"dataVersion":{...},"topicConfigTable":{topic:TopicConfig}},
// pretty, alphabetical.
//
// A change is visible to every thread at once (snapshot) and on disk a little later (save). What is
// promised to nobody yet may be lost in between: so the first message to a topic that a send
// created is acknowledged only when the topic is on disk. unsaved() tells a sender what to wait
// for. docs/decisions/ has the reasons. Threads: any, except load(). Readers of the snapshot take
// no lock (SnapshotReader). Crash: topics.json or topics.json.bak is whole; changes after the last
// save are gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "base/string_map.h"
#include "base/watermark.h"
#include "protocol/data_version.h"
#include "protocol/topic_config.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/metadata_file.h"
#include "roles/broker/table_version.h"

namespace rmq::roles::broker {

using TopicTableMap = StringMap<protocol::TopicConfig>;

class TopicTable {
 public:
  // `directory` holds topics.json (Java: <store>/config). All references outlive the table.
  TopicTable(const BrokerConfig& config, Clock& clock, FileSystem& files,
             const std::string& directory);

  // NotSupported when topics.json has topics that cannot be served. For before the store is opened,
  // which changes it; what cannot be read is for load(). Before load(), or not at all.
  Result<> check_file();
  // Reads topics.json and adds the topics that every broker has. `store_has_data`: there are
  // messages, so a table that cannot be read must not be taken for an empty one. Errors:
  // BrokerErrc::MetadataLost (both files unusable, or none there, while there are messages), and
  // check_file()'s. Before any other call, once.
  Result<> load(bool store_has_data);
  // load() had to take the backup, which lacks the last change.
  bool from_backup();
  // Makes the topics that are missing here again, with default settings, as far as they have
  // messages. `queues`: those that have.
  void restore(const std::vector<std::pair<std::string, QueueId>>& queues);

  const Snapshot<TopicTableMap>& snapshot() const { return snapshot_; }
  std::optional<protocol::TopicConfig> find(std::string_view topic) const;
  bool contains(std::string_view topic) const;
  bool is_order_topic(std::string_view topic) const;
  // Well-known system topics and those this broker made of its own and its cluster's name.
  bool is_system(std::string_view topic) const;
  protocol::DataVersion data_version() const;
  // The table and its version, from one moment: for registration and GET_ALL_TOPIC_CONFIG.
  std::pair<std::shared_ptr<const TopicTableMap>, protocol::DataVersion> contents() const;

  // A send to an unknown topic: clones `default_topic` when that may be inherited, with at most
  // `client_queue_nums` queues. The topic as it is when it exists by now; nothing when there is no
  // model. The name was checked.
  std::optional<protocol::TopicConfig> create_in_send(std::string_view topic,
                                                      std::string_view default_topic,
                                                      std::int32_t client_queue_nums,
                                                      std::int32_t topic_sys_flag,
                                                      std::string_view peer);
  // A retry, dead letter or other topic of the broker's own making, if absent. An existing one only
  // has its order flag brought into line.
  protocol::TopicConfig create_if_absent(const protocol::TopicConfig& wanted);
  // UPDATE_AND_CREATE_TOPIC. `attribute_changes` is "+key=value,-key". No error and no change when
  // the topic is the same. Errors: ResponseCode::InvalidParameter (name, system topic), SystemError
  // (attributes), with Java's remarks.
  Result<protocol::TopicConfig> update(protocol::TopicConfig config,
                                       std::string_view attribute_changes);
  // The name server's order topics (body of REGISTER_BROKER's answer): marks those that exist here.
  void mark_order_topics(const std::vector<std::string>& topics);
  // The topics are as they were, but what name servers are told of them is not.
  void new_version();
  // The same, and from now on versions are of this reign: name servers believe the newest one.
  void begin_reign(std::int32_t epoch);
  // False when there was none.
  bool erase(std::string_view topic);
  // A slave takes over its master's topics and their version. The names of those that went.
  std::vector<std::string> follow(const std::vector<protocol::TopicConfig>& topics,
                                  const protocol::DataVersion& version);

  // What an acknowledgement of a message to `topic` must wait for in saved(); nothing when the
  // topic is on disk. Costs two atomic loads unless something is being saved right now.
  std::optional<TableVersion> unsaved(std::string_view topic) const;
  Watermark<TableVersion>& saved() { return saved_; }
  // The change that is visible now.
  TableVersion version() const { return TableVersion{version_.load(std::memory_order_acquire)}; }

  // Writes what changed since the last save; waits for the disk, so not on a data thread. Then
  // advances saved(). Errors: errno; the changes stay to be saved.
  Result<> save_if_changed();
  // Topics created or updated since the last call: for an incremental registration.
  std::vector<protocol::TopicConfig> take_changed();
  // `listener` runs after every change on the changing thread, outside the table's lock: it hands
  // save and registration to another thread. Set before load().
  void on_change(std::function<void()> listener) { on_change_ = std::move(listener); }

 private:
  using Draft = std::shared_ptr<TopicTableMap>;

  void add_system_topics(TopicTableMap& table);
  Draft draft() const RMQ_REQUIRES(mutex_);
  void publish(Draft next) RMQ_REQUIRES(mutex_);
  void put(protocol::TopicConfig topic) RMQ_REQUIRES(mutex_);
  void announce() const;
  static Result<> decode(std::string_view text, TopicTableMap& into,
                         protocol::DataVersion& version);
  Result<> refuse_batch_queues(const TopicTableMap& table) const RMQ_REQUIRES(save_mutex_);

  const BrokerConfig& config_;
  Clock& clock_;
  std::function<void()> on_change_;
  StringSet own_system_topics_;  // written by load() only

  mutable Mutex mutex_;
  Snapshot<TopicTableMap> snapshot_;  // replaced under mutex_
  protocol::DataVersion data_version_ RMQ_GUARDED_BY(mutex_);
  std::int32_t reign_ RMQ_GUARDED_BY(mutex_) = 0;  // 0 without controllers
  std::atomic<std::int64_t> version_{0};
  StringMap<TableVersion> unsaved_ RMQ_GUARDED_BY(mutex_);  // topics created since the last save
  StringSet changed_ RMQ_GUARDED_BY(mutex_);                // not yet taken by take_changed()

  Mutex save_mutex_;  // one save at a time; taken before mutex_
  MetadataFile file_ RMQ_GUARDED_BY(save_mutex_);
  Watermark<TableVersion> saved_;
};

}  // namespace rmq::roles::broker
