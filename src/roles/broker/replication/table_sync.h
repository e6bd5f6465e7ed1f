// TableSync: a slave keeps topics, groups, consumer offsets and delay progress as its master has
// them, and gives the master the offsets that consumers committed here while it was away.
// A master of ours answers with a table only when it has changed (protocol/table_sync.h), so it is
// asked often; one in Java sends everything each time. Its timer and request mode tables are not
// asked for: nothing here uses them.
// Threads: everything on the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/await.h"
#include "net/task.h"
#include "protocol/command.h"
#include "protocol/request_codes.h"
#include "roles/broker/offsets/offset_table.h"

namespace rmq::roles::broker {

class Broker;

class TableSync {
 public:
  explicit TableSync(Broker& broker) : broker_(broker) {}  // it outlives the io threads

  void start();  // once; again is nothing
  void stop();
  // Asks this one ("ip:port") from now on.
  void set_master(std::string address);

 private:
  // One of the master's tables, and which state of it is here.
  struct Table {
    protocol::RequestCode code;
    std::string version;
  };
  // The delay progress that counts deliveries which the own log does not have yet.
  struct Pending {
    std::string text;
    std::int64_t position = 0;
    std::int64_t log_end = 0;
  };

  net::Task<> run();
  net::Task<Result<>> sync_all();
  net::Task<Result<std::optional<protocol::Command>>> fetch(Table& table);
  net::Task<Result<>> sync_topics();
  net::Task<Result<>> sync_offsets();
  net::Task<Result<>> sync_delays();
  net::Task<Result<>> give_back(std::vector<OffsetTable::Commit> commits);
  Result<> follow_delays();
  void forget();

  Broker& broker_;
  std::string master_;
  bool started_ = false;
  bool stopping_ = false;
  bool of_ours_ = false;  // the master is
  net::Event changed_;    // set by set_master() and stop()
  Table topics_{protocol::RequestCode::GetAllTopicConfig, {}};
  Table groups_{protocol::RequestCode::GetAllSubscriptiongroupConfig, {}};
  Table offsets_{protocol::RequestCode::GetAllConsumerOffset, {}};
  Table delays_{protocol::RequestCode::GetAllDelayOffset, {}};
  std::optional<Pending> pending_;
  std::string failure_;  // in the log last
};

}  // namespace rmq::roles::broker
