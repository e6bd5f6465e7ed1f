#include "cli/topic.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include "cli/command.h"
#include "cli/render.h"
#include "client/admin_client.h"
#include "client/client_errc.h"
#include "client/gather.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using client::ClientErrc;

struct CreateOptions : CommonOptions {
  std::string topic;
  std::int32_t queues = 8;
  std::optional<std::int32_t> read_queues;
  std::optional<std::int32_t> write_queues;
  std::string perm = "rw";
  bool order = false;
  std::string broker;
  std::string cluster;
};

struct ListOptions : CommonOptions {
  std::string cluster;
};

struct Target {
  std::string broker;  // its name; the address when only that is known
  std::string address;
};

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

// A broker given by address needs no name server; by name, its master.
Result<std::vector<Target>> find_targets(const CreateOptions& options, AdminClient& admin,
                                         Session& session) {
  const bool is_address = options.broker.find(':') != std::string::npos;
  if (is_address) return std::vector<Target>{{options.broker, options.broker}};
  RMQ_TRY(const protocol::ClusterInfo info,
          session.run<Result<protocol::ClusterInfo>>([&admin] { return admin.cluster_info(); }));
  if (options.broker.empty()) return masters_of(info, options.cluster);
  const auto broker = info.broker_addr_table.find(options.broker);
  if (broker == info.broker_addr_table.end() ||
      !broker->second.broker_addrs.contains(protocol::kMasterId)) {
    return fail(ClientErrc::BrokerUnknown,
                "no master named '" + options.broker + "' is registered");
  }
  return std::vector<Target>{{options.broker, broker->second.broker_addrs.at(protocol::kMasterId)}};
}

protocol::TopicConfig topic_config(const CreateOptions& options) {
  protocol::TopicConfig topic;
  topic.topic = options.topic;
  topic.read_queue_nums = options.read_queues.value_or(options.queues);
  topic.write_queue_nums = options.write_queues.value_or(options.queues);
  topic.perm = 0;
  for (const char letter : options.perm) {
    topic.perm |= letter == 'r' ? protocol::kPermRead : protocol::kPermWrite;
  }
  topic.order = options.order;
  return topic;
}

void print_created(const std::vector<Target>& targets, const std::vector<Result<>>& results,
                   const CreateOptions& options, Console& console) {
  if (options.format() == OutputFormat::Json) {
    json::Value brokers = json::Value::array();
    for (std::size_t i = 0; i < targets.size(); ++i) {
      json::Value broker = json::Value::object();
      broker.set("broker", targets[i].broker).set("address", targets[i].address);
      broker.set("created", results[i].has_value());
      if (!results[i]) broker.set("error", results[i].error().message());
      brokers.push_back(std::move(broker));
    }
    json::Value value = json::Value::object();
    value.set("topic", options.topic).set("brokers", std::move(brokers));
    print_json(value, console);
    return;
  }
  Table table({{"TOPIC"}, {"BROKER"}, {"ADDRESS"}, {"RESULT"}});
  for (std::size_t i = 0; i < targets.size(); ++i) {
    table.add_row(
        {options.topic, targets[i].broker, targets[i].address, results[i] ? "created" : "failed"});
  }
  console.out << table.text();
}

// Consumers of an ordered topic keep to these queues while brokers come and go.
Result<> publish_order(const CreateOptions& options, const std::vector<Target>& targets,
                       AdminClient& admin, Session& session) {
  std::string config;
  for (const Target& target : targets) {
    config += (config.empty() ? "" : ";") + target.broker + ":" +
              std::to_string(options.write_queues.value_or(options.queues));
  }
  return session.run<Result<>>([&] { return admin.put_order_config(options.topic, config); });
}

ExitCode create_topic(const CreateOptions& options, Session& session, Console& console) {
  const std::string task = "create topic '" + options.topic + "'";
  AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) {
    return report(explain(targets.error(), task, options), options.format(), console);
  }

  const protocol::TopicConfig topic = topic_config(options);
  const auto results = session.run<std::vector<Result<>>>([&] {
    std::vector<std::function<net::Task<Result<>>()>> creations;
    for (const Target& target : *targets) {
      creations.push_back(
          [&admin, &topic, &target] { return admin.create_topic(target.address, topic); });
    }
    return client::gather<Result<>>(session.thread(), std::move(creations));
  });
  print_created(*targets, results, options, console);

  ExitCode code = ExitCode::Ok;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) continue;
    const std::string where = task + " on broker '" + (*targets)[i].broker + "'";
    // The JSON line with all brokers is out already.
    const ExitCode failed =
        report(explain(results[i].error(), where, options), OutputFormat::Table, console);
    if (code == ExitCode::Ok) code = failed;
  }
  if (code == ExitCode::Ok && options.order) {
    const auto published = publish_order(options, *targets, admin, session);
    if (!published) {
      return report(explain(published.error(), "tell the name servers its order", options),
                    OutputFormat::Table, console);
    }
  }
  return code;
}

ExitCode list_topics(const ListOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  auto topics = session.run<Result<std::vector<std::string>>>([&] {
    return options.cluster.empty() ? admin.topics() : admin.topics_of_cluster(options.cluster);
  });
  if (!topics) {
    return report(explain(topics.error(), "list topics", options), options.format(), console);
  }
  std::sort(topics->begin(), topics->end());
  if (options.format() == OutputFormat::Json) {
    json::Value names = json::Value::array();
    for (const std::string& topic : *topics) names.push_back(topic);
    json::Value value = json::Value::object();
    value.set("topics", std::move(names));
    print_json(value, console);
    return ExitCode::Ok;
  }
  Table table({{"TOPIC"}});
  for (const std::string& topic : *topics) table.add_row({escape_for_terminal(topic)});
  console.out << table.text();
  return ExitCode::Ok;
}

void add_create(const Command& noun, Console& console) {
  const auto [verb, options] =
      add_verb<CreateOptions>(noun, "create", "Create a topic, or change it when it exists",
                              "rmq topic create Orders --queues 16");
  verb.option("NAME", options->topic, "The topic").required();
  const Option queues = verb.option("--queues", options->queues, "Queues on each broker")
                            .within(1, 65'535)
                            .type("N")
                            .shows_default();
  verb.option("--read-queues", options->read_queues, "Queues that consumers read")
      .within(1, 65'535)
      .type("N")
      .excludes(queues);
  verb.option("--write-queues", options->write_queues, "Queues that producers write")
      .within(1, 65'535)
      .type("N")
      .excludes(queues);
  verb.option("--perm", options->perm, "rw, r (no new messages) or w (no reading)")
      .one_of({"rw", "r", "w"})
      .type("PERM")
      .shows_default();
  verb.flag("--order", options->order, "An ordered topic: its queues stay with their broker");
  const Option broker =
      verb.option("--broker", options->broker, "Only on this broker: address or name");
  verb.option("--cluster", options->cluster, "On all masters of this cluster").excludes(broker);
  run_as(verb, options, console, create_topic);
}

void add_list(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<ListOptions>(noun, "list", "Show the topics",
                                                     "rmq topic list --cluster DefaultCluster");
  verb.option("--cluster", options->cluster, "Only topics of this cluster");
  run_as(verb, options, console, list_topics);
}

}  // namespace

void add_topic_commands(const Command& root, Console& console) {
  const Command noun = root.noun("topic", "Create and list topics");
  add_create(noun, console);
  add_list(noun, console);
}

}  // namespace rmq::cli
