// Broker: one broker of a cluster, master or slave. It owns the store, the tables that clients and
// tools see, and the ports; the handlers in the folders beside this file work on its public
// members. Threads: construction, start() and stop() on the owner's thread; which member belongs to
// which thread is said at its class.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "net/io_threads.h"
#include "net/rpc_client.h"
#include "net/rpc_server.h"
#include "protocol/host_address.h"
#include "protocol/message_id.h"
#include "roles/broker/admin/traffic.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/clients/client_registry.h"
#include "roles/broker/clients/queue_locks.h"
#include "roles/broker/delivery/delay_progress.h"
#include "roles/broker/delivery/delay_service.h"
#include "roles/broker/groups/group_table.h"
#include "roles/broker/metadata_saver.h"
#include "roles/broker/offsets/first_offsets.h"
#include "roles/broker/offsets/offset_table.h"
#include "roles/broker/offsets/queue_readers.h"
#include "roles/broker/pulling/long_polls.h"
#include "roles/broker/registration.h"
#include "roles/broker/replication/classic_replication.h"
#include "roles/broker/replication/table_sync.h"
#include "roles/broker/sending/replica_waits.h"
#include "roles/broker/sending/send_gate.h"
#include "roles/broker/sending/send_thread.h"
#include "roles/broker/topics/topic_table.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

class BrokerService;
class ReplicaManager;

class Broker {
 public:
  // `threads`, `files` and `clock` outlive the broker, and the threads have stopped before it goes.
  Broker(net::IoThreads& threads, BrokerConfig config, FileSystem& files, Clock& clock);
  ~Broker();

  // Opens and recovers the store, listens, registers with the name servers, then accepts clients.
  // Errors: of the store, the files under config/, or the ports.
  Result<> start();
  // Deregisters, stops accepting, sends clients away, answers what is in flight, flushes, closes
  // the store.
  void stop();

  // --- Changes of role under controllers (broker_roles.cpp). A thread that may wait:

  // The store leads: offsets and delays of what is in its log.
  void prepare_leading();
  void stop_leading();
  // The end of the log went back.
  void log_was_cut();
  // Control thread:
  void lead(std::int32_t epoch);
  void follow(std::int64_t id);
  // Topics, groups and offsets are this master's ("ip:port"), once follow_tables() was called;
  // empty: nobody's.
  void follow_tables_of(const std::string& master);
  void follow_tables();
  // It can do its work no more. Any thread.
  void fail_with(const Error& why);

  // --- Controllers for a broker that runs, or none any more (broker_switch.cpp)

  // From now on these ("host:port" of each, separated by ';') say who is master; or nobody does,
  // and what is master or slave stays so. Sends wait meanwhile, and none fails. A master is changed
  // before its slaves. They block for some seconds at most: not on an io thread, and one at a time.
  // Errors, and all is as it was: no controller answers, slaves are too far behind, I/O.
  Result<> turn_to_controllers(const std::string& addresses);
  Result<> turn_from_controllers();

  std::uint16_t port() const { return config.listen_port; }
  // "ip:port" as told to clients.
  std::string address() const;
  // Called once when the broker can do its work no more (a failed write or fsync), on any thread.
  // Set before start().
  void on_fatal(std::function<void(const Error&)> listener) { on_fatal_ = std::move(listener); }
  // Called by a start() that has to read much of the log. Set before it.
  void on_start_progress(storage::ProgressListener listener) {
    on_start_progress_ = std::move(listener);
  }

  // What was returned once stays until the broker goes.
  Replication& replication();
  const Replication& replication() const;
  // Null without controllers.
  ReplicaManager* replicas() const { return replicas_.load(std::memory_order_acquire); }
  // Whether it takes no messages of clients.
  bool is_slave() const { return replication().standing() != Replication::Standing::Master; }
  // Whether a change of settings to `next` is one of those that do while it runs. Error:
  // ResponseCode::SystemError.
  Result<> check_role_change(const BrokerConfig& next) const;

  SendThread& send_thread(const net::IoThread& thread) { return *send_threads_[thread.index()]; }

  net::IoThreads& threads;
  Clock& clock;
  BrokerConfig config;  // ports and addresses are settled by start(), nothing else changes
  const std::int64_t boot_timestamp_ms;
  protocol::HostAddress store_host;  // where a message can be asked for: part of its id
  // The properties that a broker adds to each message: CLUSTER, MSG_REGION, TRACE_ON.
  std::string own_properties;
  std::optional<protocol::UniqKeyGenerator> unique_keys;  // set by start()

  std::unique_ptr<storage::MessageStore> store;
  TopicTable topics;
  GroupTable groups;
  OffsetTable offsets;
  QueueReaders readers;
  FirstOffsets first_offsets;
  DelayProgress delay_progress;
  ClientRegistry clients;
  QueueLocks locks;
  Traffic traffic;
  LongPolls long_polls;
  ReplicaWaits replica_waits;  // of sends
  net::RpcClient outgoing;     // to name servers and the master
  Registration registration;
  BlockingPool disk;  // requests that may read cold pages
  // Pulls that do. Apart, so that who reads a backlog delays nobody's questions.
  BlockingPool cold_pulls;
  BlockingPool role_work{1};  // changes of role, which wait for the disk
  BlockingPool mode_work{1};  // turn_to_controllers() and turn_from_controllers()
  SendGate send_gate;         // closed while these are at work
  // Set while stop() asks clients to go elsewhere, which the services answer and count.
  std::atomic<bool> leaving{false};
  std::atomic<std::uint64_t> sent_away{0};

 private:
  Result<> open_store();
  net::Task<bool> announce();
  void send_clients_away();
  Result<> listen();
  Result<> listen_on(std::uint16_t port);
  void connect_parts();
  void start_timers();
  void let_replicas_catch_up();
  void stop_replication();
  Result<> settle_sends();
  Result<> begin_controlled(ReplicaManager& manager);
  Result<> begin_uncontrolled(bool leads);
  void set_controllers(bool enabled, const std::string& addresses);
  void register_as(std::int64_t id);
  void run_every(std::chrono::milliseconds period, std::function<void()> work);

  FileSystem& files_;
  std::function<void(const Error&)> on_fatal_;
  storage::ProgressListener on_start_progress_;
  std::vector<std::unique_ptr<SendThread>> send_threads_;  // one per data thread
  MetadataSaver saver_;
  std::optional<DelayService> delays_;          // made by start()
  std::unique_ptr<BrokerService> service_;      // every request
  std::unique_ptr<BrokerService> vip_service_;  // all but the pulling ones, as in Java
  std::unique_ptr<net::RpcServer> server_;
  std::unique_ptr<net::RpcServer> vip_server_;
  ClassicReplication classic_;  // in use while there are no controllers
  // The last one is in use, if any is; what the others have begun may still end.
  std::vector<std::unique_ptr<ReplicaManager>> managers_;
  TableSync table_sync_;
  std::atomic<ReplicaManager*> replicas_{nullptr};
  bool announced_ = false;  // control thread: registration has started
  std::atomic<bool> stopping_{false};
};

}  // namespace rmq::roles::broker
