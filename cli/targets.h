// The brokers that a command is meant for: one by name or address, or the masters of a cluster.
// Threads: the command's own.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/session.h"
#include "client/admin_client.h"

namespace rmq::cli {

struct Target {
  std::string broker;  // its name; the address when only that is known
  std::string address;
};

// `broker`: an address, which needs no name server, or a name, then its master. Empty: the masters
// of `cluster`, or when that is empty too, of the only cluster there is. Errors: NetErrc;
// ClientErrc::ClusterUnknown, BrokerUnknown.
Result<std::vector<Target>> find_targets(const std::string& broker, const std::string& cluster,
                                         client::AdminClient& admin, Session& session);

}  // namespace rmq::cli
