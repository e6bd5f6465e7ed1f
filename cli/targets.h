// The brokers that a command is meant for: one by name or address, or the masters of a cluster.
// Threads: the command's own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/common_options.h"
#include "cli/session.h"
#include "client/admin_client.h"
#include "net/gather.h"

namespace rmq::cli {

struct Target {
  std::string broker;  // its name; the address when only that is known
  std::string address;
};

// "broker-a, broker-b"
std::string names_of(const std::vector<Target>& targets);

struct TargetOptions : CommonOptions {
  std::string broker;
  std::string cluster;
};
// --broker and --cluster.
void add_target_options(const Command& verb, TargetOptions& options);

// `broker`: an address, which needs no name server, or a name, then its master. Empty: the masters
// of `cluster`, or when that is empty too, of the only cluster there is. Errors: NetErrc;
// ClientErrc::ClusterUnknown, BrokerUnknown.
Result<std::vector<Target>> find_targets(const std::string& broker, const std::string& cluster,
                                         client::AdminClient& admin, Session& session);
inline Result<std::vector<Target>> find_targets(const TargetOptions& options,
                                                client::AdminClient& admin, Session& session) {
  return find_targets(options.broker, options.cluster, admin, session);
}
// Every name server, by its address.
std::vector<Target> name_server_targets(Session& session);

// Makes of a task without a value one that ask_each() can hold.
net::Task<Result<bool>> done(net::Task<Result<>> task);

// Asks all of `targets` at the same time; the answers in their order.
template <class T>
std::vector<Result<T>> ask_each(const std::vector<Target>& targets, Session& session,
                                const std::function<net::Task<Result<T>>(const Target&)>& ask) {
  return session.run<std::vector<Result<T>>>([&] {
    std::vector<std::function<net::Task<Result<T>>()>> questions;
    for (const Target& target : targets) {
      questions.push_back([&ask, &target] { return ask(target); });
    }
    return net::gather<Result<T>>(session.thread(), std::move(questions));
  });
}

}  // namespace rmq::cli
