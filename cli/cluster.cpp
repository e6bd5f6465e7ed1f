#include "cli/cluster.h"

#include <ostream>

#include "cli/command.h"
#include "cli/output.h"
#include "client/admin_client.h"
#include "net/gather.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using protocol::KVTable;

struct StatusOptions : CommonOptions {};

struct Broker {
  std::string cluster;
  std::string name;
  std::int64_t id = 0;
  std::string address;
  Result<KVTable> info = KVTable{};

  // It answered, even if only that it does not tell its figures.
  bool reachable() const {
    return info || info.error().code.category() == protocol::response_category();
  }
  std::string role() const { return id == protocol::kMasterId ? "master" : "slave"; }
  // A figure by name; "-" when the broker does not say it.
  std::string figure(const std::string& name_of_figure) const {
    if (!info) return "-";
    const auto found = info->table.find(name_of_figure);
    return found == info->table.end() || found->second.empty() ? "-" : found->second;
  }
  // The first of three rates: that of the last ten seconds.
  std::string rate(const std::string& name_of_figure) const {
    const std::string text = figure(name_of_figure);
    const std::string first = text.substr(0, text.find(' '));
    const auto point = first.find('.');
    if (first.empty()) return "-";
    return point == std::string::npos ? first : first.substr(0, point + 2);
  }
};

std::vector<Broker> brokers_of(const protocol::ClusterInfo& info) {
  std::vector<Broker> brokers;
  for (const auto& [name, data] : info.broker_addr_table) {
    for (const auto& [id, address] : data.broker_addrs) {
      Broker broker;
      broker.cluster = data.cluster;
      broker.name = name;
      broker.id = id;
      broker.address = address;
      brokers.push_back(std::move(broker));
    }
  }
  return brokers;
}

void ask_brokers(std::vector<Broker>& brokers, client::AdminClient& admin, Session& session) {
  auto infos = session.run<std::vector<Result<KVTable>>>([&] {
    std::vector<std::function<net::Task<Result<KVTable>>()>> questions;
    for (const Broker& broker : brokers) {
      questions.push_back([&admin, &broker] { return admin.runtime_info(broker.address); });
    }
    return net::gather<Result<KVTable>>(session.thread(), std::move(questions));
  });
  for (std::size_t i = 0; i < brokers.size(); ++i) brokers[i].info = std::move(infos[i]);
}

Table status_table(const std::vector<Broker>& brokers) {
  Table table({{"CLUSTER"},
               {"BROKER"},
               {"ID", Align::Right},
               {"ROLE"},
               {"ADDRESS"},
               {"STATE"},
               {"VERSION"},
               {"IN/S", Align::Right},
               {"OUT/S", Align::Right},
               {"DISK USED", Align::Right, Detail::Wide},
               {"RUNTIME", Align::Left, Detail::Wide}});
  for (const Broker& broker : brokers) {
    table.add_row({broker.cluster, broker.name, std::to_string(broker.id), broker.role(),
                   broker.address, broker.reachable() ? "up" : "unreachable",
                   broker.figure("brokerVersionDesc"), broker.rate("putTps"),
                   broker.rate("getTransferredTps"), broker.figure("commitLogDiskRatio"),
                   broker.figure("runtime")});
  }
  return table;
}

json::Value status_value(const std::vector<Broker>& brokers, Session& session) {
  json::Value list = json::Value::array();
  for (const Broker& broker : brokers) {
    json::Value item = json::Value::object();
    item.set("cluster", broker.cluster).set("broker", broker.name).set("id", broker.id);
    item.set("role", broker.role()).set("address", broker.address);
    item.set("reachable", broker.reachable());
    if (broker.info) {
      json::Value figures = json::Value::object();
      for (const auto& [name, value] : broker.info->table) figures.set(name, value);
      item.set("figures", std::move(figures));
    } else {
      item.set("error", broker.info.error().message());
    }
    list.push_back(std::move(item));
  }
  json::Value name_servers = json::Value::array();
  for (const std::string& address : session.client().name_servers().addresses()) {
    name_servers.push_back(address);
  }
  json::Value value = json::Value::object();
  value.set("name_servers", std::move(name_servers)).set("brokers", std::move(list));
  return value;
}

ExitCode show_status(const StatusOptions& options, Session& session, Console& console) {
  client::AdminClient admin(session.client(), options.timeout());
  const auto info =
      session.run<Result<protocol::ClusterInfo>>([&admin] { return admin.cluster_info(); });
  if (!info) {
    return report(explain(info.error(), "show the cluster", options), options.format(), console);
  }
  std::vector<Broker> brokers = brokers_of(*info);
  ask_brokers(brokers, admin, session);
  Listing listing;
  listing.tables.push_back(status_table(brokers));
  listing.value = status_value(brokers, session);
  show(listing, options.format(), console);

  ExitCode code = ExitCode::Ok;
  for (const Broker& broker : brokers) {
    if (broker.reachable()) continue;
    // The table or the JSON line has shown all of them.
    code = report(explain(broker.info.error(), "ask broker '" + broker.name + "'", options),
                  OutputFormat::Table, console);
  }
  return code;
}

ExitCode list_clusters(const StatusOptions& options, Session& session, Console& console) {
  client::AdminClient admin(session.client(), options.timeout());
  const auto info =
      session.run<Result<protocol::ClusterInfo>>([&admin] { return admin.cluster_info(); });
  if (!info) {
    return report(explain(info.error(), "list clusters", options), options.format(), console);
  }
  Table table({{"CLUSTER"},
               {"BROKERS", Align::Right},
               {"MASTERS", Align::Right},
               {"SLAVES", Align::Right},
               {"NAMES", Align::Left, Detail::Wide}});
  json::Value list = json::Value::array();
  for (const auto& [cluster, brokers] : info->cluster_addr_table) {
    std::size_t masters = 0;
    std::size_t slaves = 0;
    std::string names;
    json::Value array = json::Value::array();
    for (const std::string& broker : brokers) {
      names += (names.empty() ? "" : ",") + broker;
      array.push_back(broker);
      const auto data = info->broker_addr_table.find(broker);
      if (data == info->broker_addr_table.end()) continue;
      const std::size_t here = data->second.broker_addrs.count(protocol::kMasterId);
      masters += here;
      slaves += data->second.broker_addrs.size() - here;
    }
    table.add_row({cluster, std::to_string(brokers.size()), std::to_string(masters),
                   std::to_string(slaves), names});
    json::Value value = json::Value::object();
    value.set("cluster", cluster).set("brokers", std::move(array));
    value.set("masters", masters).set("slaves", slaves);
    list.push_back(std::move(value));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("clusters", std::move(list));
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

}  // namespace

void add_cluster_commands(const Command& root, Console& console) {
  const Command noun = root.noun("cluster", "The brokers of a cluster");
  {
    const auto [verb, options] =
        add_verb<StatusOptions>(noun, "list", "Show the clusters", "rmq cluster list");
    run_as_reader(verb, options, console, list_clusters);
  }
  {
    const auto [verb, options] = add_verb<StatusOptions>(
        noun, "status", "Show all brokers and what they are doing", "rmq cluster status --watch");
    run_as_reader(verb, options, console, show_status);
  }
  add_cluster_mode(noun, console);
}

}  // namespace rmq::cli
