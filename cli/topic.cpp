#include "cli/topic.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include "cli/command.h"
#include "cli/render.h"
#include "cli/targets.h"
#include "client/admin_client.h"
#include "client/gather.h"

namespace rmq::cli {
namespace {

using client::AdminClient;

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
  const auto targets = find_targets(options.broker, options.cluster, admin, session);
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
