// `rmq topic describe`: what the brokers know about a topic.
#include <algorithm>
#include <set>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "cli/topic.h"
#include "cli/topic_names.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using client::AdminClient;

struct DescribeOptions : CommonOptions {
  std::string topic;
};

// A topic at one of its brokers.
struct AtBroker {
  Target target;
  Result<protocol::TopicConfig> config = protocol::TopicConfig{};
  Result<protocol::TopicStats> stats = protocol::TopicStats{};
  Result<std::vector<std::string>> groups = std::vector<std::string>{};
};

// Masters only: a slave has what its master has.
std::vector<Target> masters_of(const protocol::TopicRouteData& route) {
  std::vector<Target> targets;
  for (const protocol::BrokerData& broker : route.broker_datas) {
    if (broker.broker_addrs.empty()) continue;
    targets.push_back({broker.broker_name, broker.broker_addrs.begin()->second});
  }
  return targets;
}

std::vector<AtBroker> ask(const std::string& topic, std::vector<Target> targets, AdminClient& admin,
                          Session& session) {
  auto configs = ask_each<protocol::TopicConfig>(targets, session, [&](const Target& target) {
    return admin.topic_config(target.address, topic);
  });
  auto stats = ask_each<protocol::TopicStats>(targets, session, [&](const Target& target) {
    return admin.topic_stats(target.address, topic);
  });
  auto groups = ask_each<std::vector<std::string>>(targets, session, [&](const Target& target) {
    return admin.groups_of_topic(target.address, topic);
  });
  std::vector<AtBroker> brokers;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    brokers.push_back(
        {std::move(targets[i]), std::move(configs[i]), std::move(stats[i]), std::move(groups[i])});
  }
  return brokers;
}

std::string time_or_dash(std::int64_t ms) { return ms > 0 ? format_time_ms(ms) : "-"; }

// The queues of all brokers; `sum` gets how many messages they have.
Table queue_table(const std::vector<AtBroker>& brokers, std::int64_t& sum) {
  Table table({{"BROKER"},
               {"QUEUE", Align::Right},
               {"MIN", Align::Right},
               {"MAX", Align::Right},
               {"MESSAGES", Align::Right},
               {"LAST UPDATE"}});
  for (const AtBroker& broker : brokers) {
    if (!broker.stats) continue;
    for (const auto& [queue, of] : broker.stats->queues) {
      const std::int64_t messages = of.max - of.min;
      sum += messages;
      table.add_row({broker.target.broker, std::to_string(queue.queue_id),
                     std::to_string(of.min.value), std::to_string(of.max.value),
                     std::to_string(messages), time_or_dash(of.last_update_ms)});
    }
  }
  return table;
}

std::string attributes_text(const protocol::TopicConfig& config) {
  std::string text;
  for (const auto& [name, value] : config.attributes) {
    text += (text.empty() ? "" : ",") + name + "=" + value;
  }
  return text.empty() ? "-" : text;
}

Table config_table(const std::vector<AtBroker>& brokers) {
  Table table({{"BROKER"},
               {"ADDRESS"},
               {"READ", Align::Right},
               {"WRITE", Align::Right},
               {"PERM"},
               {"ORDER"},
               {"FILTER", Align::Left, Detail::Wide},
               {"ATTRIBUTES"}});
  for (const AtBroker& broker : brokers) {
    if (!broker.config) continue;
    const protocol::TopicConfig& config = *broker.config;
    table.add_row({broker.target.broker, broker.target.address,
                   std::to_string(config.read_queue_nums), std::to_string(config.write_queue_nums),
                   perm_text(config.perm), config.order ? "yes" : "no",
                   std::string(protocol::to_text(config.filter_type)), attributes_text(config)});
  }
  return table;
}

json::Value value_of(const AtBroker& broker) {
  json::Value value = json::Value::object();
  value.set("broker", broker.target.broker).set("address", broker.target.address);
  if (broker.config) {
    const protocol::TopicConfig& config = *broker.config;
    value.set("read_queues", config.read_queue_nums).set("write_queues", config.write_queue_nums);
    value.set("perm", perm_text(config.perm)).set("order", config.order);
    value.set("filter_type", protocol::to_text(config.filter_type));
    json::Value attributes = json::Value::object();
    for (const auto& [name, text] : config.attributes) attributes.set(name, text);
    value.set("attributes", std::move(attributes));
  } else {
    value.set("error", broker.config.error().message());
  }
  if (!broker.stats) return value;
  json::Value queues = json::Value::array();
  for (const auto& [queue, of] : broker.stats->queues) {
    json::Value item = json::Value::object();
    item.set("queue", queue.queue_id).set("min", of.min.value).set("max", of.max.value);
    item.set("last_update_ms", of.last_update_ms);
    queues.push_back(std::move(item));
  }
  value.set("queues", std::move(queues));
  return value;
}

Listing listing_of(const std::string& topic, const std::vector<AtBroker>& brokers) {
  std::set<std::string> groups;
  json::Value values = json::Value::array();
  for (const AtBroker& broker : brokers) {
    values.push_back(value_of(broker));
    if (broker.groups) groups.insert(broker.groups->begin(), broker.groups->end());
  }
  Table group_table({{"GROUP"}});
  json::Value group_values = json::Value::array();
  for (const std::string& group : groups) {
    group_table.add_row({group});
    group_values.push_back(group);
  }
  std::int64_t messages = 0;
  Listing listing;
  listing.tables.push_back(queue_table(brokers, messages));
  listing.tables.push_back(config_table(brokers));
  if (!group_table.empty()) listing.tables.push_back(std::move(group_table));
  listing.note = "messages in all queues: " + std::to_string(messages) +
                 (groups.empty() ? "; no group has read it" : "");
  listing.value = json::Value::object();
  listing.value.set("topic", topic).set("messages", messages);
  listing.value.set("brokers", std::move(values)).set("groups", std::move(group_values));
  return listing;
}

ExitCode describe_topic(const DescribeOptions& options, Session& session, Console& console) {
  const std::string task = "describe topic '" + options.topic + "'";
  AdminClient admin(session.client(), options.timeout());
  const auto route =
      session.run<Result<protocol::TopicRouteData>>([&] { return admin.route(options.topic); });
  if (!route) {
    return report(explain_topic_error(route.error(), task, options.topic, options, session),
                  options.format(), console);
  }
  const std::vector<AtBroker> brokers = ask(options.topic, masters_of(*route), admin, session);
  show(listing_of(options.topic, brokers), options.format(), console);
  for (const AtBroker& broker : brokers) {
    const Error* error = !broker.config  ? &broker.config.error()
                         : !broker.stats ? &broker.stats.error()
                                         : nullptr;
    // The result with all brokers is out already.
    if (error != nullptr)
      return report(explain(*error, task, options), OutputFormat::Table, console);
  }
  return ExitCode::Ok;
}

}  // namespace

void add_topic_describe(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<DescribeOptions>(
      noun, "describe", "Show a topic's settings and queues on each broker, and who reads it",
      "rmq topic describe Orders");
  verb.option("TOPIC", options->topic, "The topic").required();
  run_as_reader(verb, options, console, describe_topic);
}

}  // namespace rmq::cli
