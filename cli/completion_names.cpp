#include "cli/completion_names.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "cli/contexts.h"
#include "cli/session.h"
#include "cli/targets.h"
#include "client/admin_client.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using Names = std::vector<std::string>;

// Somebody waits at a keyboard.
constexpr std::int64_t kTimeoutMs = 500;

Names contexts() {
  Names names;
  const auto found =
      load_contexts(FileSystem::posix(), contexts_path(ContextEnvironment::current()));
  if (!found) return names;
  for (const auto& [name, context] : found->all) names.push_back(name);
  return names;
}

// RocketMQ's own, which nobody types.
bool is_system_topic(const std::string& topic) {
  return topic.starts_with("%") || topic.starts_with("rmq_sys_") || topic.starts_with("RMQ_SYS_");
}

Names topics(AdminClient& admin, Session& session) {
  auto found = session.run<Result<Names>>([&] { return admin.topics(); });
  if (!found) return {};
  std::erase_if(*found, is_system_topic);
  return std::move(*found);
}

Names groups(const protocol::ClusterInfo& info, AdminClient& admin, Session& session) {
  std::vector<Target> targets;
  for (const auto& [name, data] : info.broker_addr_table) {
    const auto master = data.broker_addrs.find(protocol::kMasterId);
    if (master != data.broker_addrs.end()) targets.push_back({name, master->second});
  }
  const auto answers = ask_each<protocol::SubscriptionGroupTableBody>(
      targets, session, [&](const Target& target) { return admin.groups(target.address); });
  std::set<std::string> names;
  for (const auto& answer : answers) {
    if (!answer) continue;
    for (const auto& [name, config] : answer->groups) names.insert(name);
  }
  return {names.begin(), names.end()};
}

Names of_cluster(NameKind kind, const protocol::ClusterInfo& info) {
  Names names;
  if (kind == NameKind::Cluster) {
    for (const auto& [name, brokers] : info.cluster_addr_table) names.push_back(name);
  } else {
    for (const auto& [name, data] : info.broker_addr_table) names.push_back(name);
  }
  return names;
}

Names ask_cluster(const CompletionPlace& place, AdminClient& admin, Session& session) {
  if (place.names == NameKind::Topic) return topics(admin, session);
  const auto info =
      session.run<Result<protocol::ClusterInfo>>([&] { return admin.cluster_info(); });
  if (!info) return {};
  if (place.names == NameKind::Group) return groups(*info, admin, session);
  return of_cluster(place.names, *info);
}

}  // namespace

std::vector<std::string> ask_names(const CompletionPlace& place) {
  if (place.names == NameKind::None || place.names == NameKind::File) return {};
  if (place.names == NameKind::Context) return contexts();
  CommonOptions options;
  options.namesrv_given = place.namesrv;
  options.context = place.context;
  options.timeout_ms = kTimeoutMs;
  const auto chosen =
      choose_name_servers(options, ContextEnvironment::current(), FileSystem::posix());
  if (!chosen) return {};
  options.namesrv = *chosen;
  std::ostringstream nowhere;
  Console silent{nowhere, nowhere};
  const auto session = Session::open(options, silent);
  if (!session) return {};
  AdminClient admin((*session)->client(), options.timeout());
  Names names = ask_cluster(place, admin, **session);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace rmq::cli
