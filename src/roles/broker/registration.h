// Registration: tells every name server of the cluster who this broker is and which topics it has:
// at start, on every change (only the changed topics), every 30 s, and at once when a name server's
// connection broke: it forgets a broker whose connection ends. Each name server has a coroutine of
// its own, so one that is down delays nobody. Source: BrokerController.registerBrokerAll,
// BrokerOuterAPI.registerBrokerAll. Threads: everything runs on the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/await.h"
#include "net/io_threads.h"
#include "net/rpc_client.h"
#include "net/task.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/topics/topic_table.h"

namespace rmq::roles::broker {

class Registration {
 public:
  // Where clients and slaves find this broker: known once it listens.
  struct Addresses {
    std::string broker;  // "ip:port"
    std::string ha;      // "ip:port"
  };

  // Who a name server says is the master of this slave; empty: it knows of none.
  struct Master {
    std::string broker;  // "ip:port"
    std::string ha;      // "ip:port"
  };

  // All references outlive this object, and stop() has ended before it goes.
  Registration(const BrokerConfig& config, TopicTable& topics, net::RpcClient& client,
               net::IoThread& control);
  ~Registration();

  // A slave: `listener` hears who the master is with each answer. Set before start().
  void on_master(std::function<void(const Master&)> listener) { on_master_ = std::move(listener); }
  // Starts registering with every address of namesrv_addr.
  void start(Addresses addresses);
  // What name servers are told of from now on; 0 is the master. Before start(), or
  // settings_changed() follows.
  void set_broker_id(std::int64_t id) { broker_id_ = id; }
  // True when a name server has accepted the broker; returns when each has been tried once, or
  // after `timeout`. Without name servers true at once.
  net::Task<bool> first_round(std::chrono::milliseconds timeout);
  // Registers the topics that changed since the last call. Returns at once.
  void topics_changed();
  // The same, and waits until each name server was told or failed, or for `timeout`: a tool that
  // created a topic finds its route when it gets the answer.
  net::Task<> publish_changes(std::chrono::milliseconds timeout);
  // Registers everything again, now: something that counts for all topics has changed.
  void settings_changed();
  // Unregisters from every name server, at most `timeout`. What still waits for an answer then
  // touches this object no more.
  net::Task<> stop(std::chrono::milliseconds timeout);

  // How many name servers know this broker now.
  std::size_t registered_count() const;

 private:
  struct NameServer;
  struct Round;

  net::Task<> serve(std::shared_ptr<NameServer> server);
  net::Task<bool> register_once(NameServer& server);
  void tell_master(NameServer& server, const protocol::Command& answer);
  net::Task<> wait_for_work(NameServer& server, std::chrono::milliseconds longest);
  net::Task<> unregister(std::shared_ptr<NameServer> server, std::chrono::milliseconds timeout);
  protocol::Command make_request(NameServer& server, bool full);
  bool take_changes();
  std::shared_ptr<Round> begin_round(bool known_only);

  const BrokerConfig& config_;
  TopicTable& topics_;
  net::RpcClient& client_;
  net::IoThread& control_;
  Addresses addresses_;
  std::int64_t broker_id_ = 0;
  std::function<void(const Master&)> on_master_;
  std::vector<std::shared_ptr<NameServer>> servers_;
  std::uint64_t generation_ = 0;  // counts what there is to tell; an attempt tells all of its start
};

}  // namespace rmq::roles::broker
