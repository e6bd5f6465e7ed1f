// ControllerClient: what operators ask and change at controllers.
// Threads: any; a call resumes on the thread that awaits it. Errors, everywhere: NetErrc, the
// controller's ResponseCode with its remark, ProtocolErrc::BodyMalformed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/java_compat.h"
#include "base/result.h"
#include "client/client.h"
#include "net/task.h"
#include "protocol/controller_body.h"

namespace rmq::client {

// What a controller says of its group.
struct ControllerInfo {
  std::string address;  // who said so
  std::string group;
  std::string leader_id;
  std::string leader_address;  // empty: there is none
  bool is_leader = false;
  std::vector<std::string> peers;  // "n0:10.0.0.1:9878"
};

struct ElectedMaster {
  std::optional<std::int64_t> id;
  std::string address;
  std::int32_t epoch = 0;
  std::int32_t set_epoch = 0;
};

struct CleanedBrokers {
  std::string cluster;
  std::string broker;
  std::vector<std::int64_t> ids;  // empty: all
  bool even_alive = false;
};

class ControllerClient {
 public:
  // `addresses`: of controllers of one group, at least one. `client` must outlive it.
  ControllerClient(Client& client, std::vector<std::string> addresses,
                   std::chrono::milliseconds timeout)
      : client_(client), addresses_(std::move(addresses)), timeout_(timeout) {}

  const std::vector<std::string>& addresses() const { return addresses_; }
  net::Task<Result<ControllerInfo>> info(std::string address);

  // The rest asks the leader, as the first that answers names it.
  // The sets with these names that there are. No names: all; RocketMQ's controllers refuse that.
  net::Task<Result<protocol::ReplicasOfSets>> sets(std::vector<std::string> names);
  // Makes a replica master. Errors: ResponseCode::ControllerMasterStillExist (it is),
  // ControllerElectMasterFailed (it may not).
  net::Task<Result<ElectedMaster>> elect(std::string cluster, std::string broker, std::int64_t id);
  // Forgets replicas for good.
  net::Task<Result<>> clean(CleanedBrokers what);

  net::Task<Result<JavaProperties>> config(std::string address);
  net::Task<Result<>> update_config(std::string address, JavaProperties settings);

 private:
  net::Task<Result<std::string>> leader();
  net::Task<Result<protocol::Command>> ask_leader(protocol::Command request);

  Client& client_;
  const std::vector<std::string> addresses_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace rmq::client
