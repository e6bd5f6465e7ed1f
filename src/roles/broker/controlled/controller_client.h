// ControllerClient: what a broker asks controllers, ours or RocketMQ's (protocol/controller.h).
// Any of ours may answer; of RocketMQ's only the leader does. So each question goes to the one that
// answered last, and to the others in turn when it does not.
// Threads: everything on the control thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/rpc_client.h"
#include "net/task.h"
#include "protocol/command.h"
#include "replication/message.h"
#include "roles/broker/broker_config.h"

namespace rmq::roles::broker {

class ControllerClient {
 public:
  // All outlive the io threads.
  ControllerClient(const BrokerConfig& config, net::RpcClient& client, net::IoThread& control);

  // Errors of all that follow: NetErrc of the last controller tried; a ResponseCode with its
  // remark when one refuses.
  net::Task<Result<replication::ReplicaId>> next_id();
  // Error: ResponseCode::ControllerBrokerIdInvalid when the id is taken.
  net::Task<Result<>> apply_id(replication::ReplicaId id, std::string check_code);
  // What the broker set does; without `replicas`.
  net::Task<Result<replication::ReignInfo>> register_broker(replication::ReplicaId id,
                                                            std::string address);
  // The same, and all replicas.
  net::Task<Result<replication::ReignInfo>> ask_reign();
  // The new reign; or the one that there is, when its master lives.
  net::Task<Result<replication::ReignInfo>> elect(replication::ReplicaId id,
                                                  std::optional<replication::Epoch> over);
  net::Task<Result<replication::ReignInfo>> alter(replication::SetProposal proposal);
  // No controller has anything more to do with the broker set.
  net::Task<Result<>> forget_set();

  struct Beat {
    replication::ReplicaId id = 0;
    std::string address;
    replication::Epoch epoch;
    PhysicalOffset end;
    PhysicalOffset confirmed;
  };
  // A heartbeat to every controller. Nobody waits for it.
  void beat(const Beat& beat);

 private:
  using Question = std::function<protocol::Command()>;

  net::Task<Result<protocol::Command>> ask(Question question);
  net::Task<> send_beat(std::string address, protocol::Command heartbeat);

  const BrokerConfig& config_;
  net::RpcClient& client_;
  net::IoThread& control_;
  const std::vector<std::string> controllers_;  // "host:port"
  std::size_t current_ = 0;
};

}  // namespace rmq::roles::broker
