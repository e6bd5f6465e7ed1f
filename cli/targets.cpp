#include "cli/targets.h"

#include "cli/suggest.h"
#include "client/client_errc.h"

namespace rmq::cli {

using client::AdminClient;
using client::ClientErrc;

namespace {

// The masters of `cluster`; of the only cluster there is when that is empty.
Result<std::vector<Target>> masters_of(const protocol::ClusterInfo& info,
                                       const std::string& cluster) {
  if (info.cluster_addr_table.empty()) {
    return fail(ClientErrc::ClusterUnknown, "no broker is registered with the name server");
  }
  std::vector<std::string> clusters;
  std::string names;
  for (const auto& [name, brokers] : info.cluster_addr_table) {
    names += (names.empty() ? "" : ", ") + name;
    clusters.push_back(name);
  }
  if (cluster.empty() && info.cluster_addr_table.size() > 1) {
    return fail(ClientErrc::ClusterUnknown,
                "there are several, say which with --cluster: " + names);
  }
  const auto found =
      cluster.empty() ? info.cluster_addr_table.begin() : info.cluster_addr_table.find(cluster);
  if (found == info.cluster_addr_table.end()) {
    return fail(ClientErrc::ClusterUnknown,
                "'" + cluster + "'; there is: " + names + "." + did_you_mean(cluster, clusters));
  }
  std::vector<Target> masters;
  for (const std::string& broker : found->second) {
    const auto data = info.broker_addr_table.find(broker);
    if (data == info.broker_addr_table.end()) continue;
    const auto master = data->second.broker_addrs.find(protocol::kMasterId);
    if (master != data->second.broker_addrs.end()) masters.push_back({broker, master->second});
  }
  if (masters.empty()) {
    return fail(ClientErrc::BrokerUnknown, "cluster '" + found->first + "' has no master now");
  }
  return masters;
}

}  // namespace

std::string names_of(const std::vector<Target>& targets) {
  std::string names;
  for (const Target& target : targets) names += (names.empty() ? "" : ", ") + target.broker;
  return names;
}

void add_target_options(const Command& verb, TargetOptions& options) {
  const Option broker =
      verb.option("--broker", options.broker, "Only this broker: address or name").type("BROKER");
  verb.option("--cluster", options.cluster, "The masters of this cluster")
      .type("CLUSTER")
      .excludes(broker);
}

Result<std::vector<Target>> find_targets(const std::string& broker, const std::string& cluster,
                                         AdminClient& admin, Session& session) {
  if (broker.find(':') != std::string::npos) return std::vector<Target>{{broker, broker}};
  RMQ_TRY(const protocol::ClusterInfo info,
          session.run<Result<protocol::ClusterInfo>>([&admin] { return admin.cluster_info(); }));
  if (broker.empty()) return masters_of(info, cluster);
  const auto found = info.broker_addr_table.find(broker);
  if (found != info.broker_addr_table.end() &&
      found->second.broker_addrs.contains(protocol::kMasterId)) {
    return std::vector<Target>{{broker, found->second.broker_addrs.at(protocol::kMasterId)}};
  }
  std::vector<std::string> brokers;
  for (const auto& [name, data] : info.broker_addr_table) brokers.push_back(name);
  return fail(ClientErrc::BrokerUnknown,
              "no master named '" + broker + "' is registered." + did_you_mean(broker, brokers));
}

std::vector<Target> name_server_targets(Session& session) {
  std::vector<Target> targets;
  for (const std::string& address : session.client().name_servers().addresses()) {
    targets.push_back({address, address});
  }
  return targets;
}

net::Task<Result<bool>> done(net::Task<Result<>> task) {
  const Result<> result = co_await std::move(task);
  if (!result) co_return fail(result.error());
  co_return true;
}

}  // namespace rmq::cli
