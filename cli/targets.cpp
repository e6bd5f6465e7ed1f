#include "cli/targets.h"

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
  std::string names;
  for (const auto& [name, brokers] : info.cluster_addr_table) {
    names += (names.empty() ? "" : ", ") + name;
  }
  if (cluster.empty() && info.cluster_addr_table.size() > 1) {
    return fail(ClientErrc::ClusterUnknown,
                "there are several, say which with --cluster: " + names);
  }
  const auto found =
      cluster.empty() ? info.cluster_addr_table.begin() : info.cluster_addr_table.find(cluster);
  if (found == info.cluster_addr_table.end()) {
    return fail(ClientErrc::ClusterUnknown, "'" + cluster + "'; there is: " + names);
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

Result<std::vector<Target>> find_targets(const std::string& broker, const std::string& cluster,
                                         AdminClient& admin, Session& session) {
  if (broker.find(':') != std::string::npos) return std::vector<Target>{{broker, broker}};
  RMQ_TRY(const protocol::ClusterInfo info,
          session.run<Result<protocol::ClusterInfo>>([&admin] { return admin.cluster_info(); }));
  if (broker.empty()) return masters_of(info, cluster);
  const auto found = info.broker_addr_table.find(broker);
  if (found == info.broker_addr_table.end() ||
      !found->second.broker_addrs.contains(protocol::kMasterId)) {
    return fail(ClientErrc::BrokerUnknown, "no master named '" + broker + "' is registered");
  }
  return std::vector<Target>{{broker, found->second.broker_addrs.at(protocol::kMasterId)}};
}

}  // namespace rmq::cli
