#include "cli/group.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "cli/output.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using protocol::ConsumerConnection;
using protocol::ConsumeStats;
using protocol::MessageQueue;
using protocol::ResponseCode;
using protocol::SubscriptionGroupTableBody;

struct LagOptions : GroupOptions {
  std::string topic;
};

// One group, as the brokers that know it have it.
struct Group {
  protocol::SubscriptionGroupConfig config;  // on the first of them
  std::vector<std::string> brokers;
};

ExitCode fail_with(const Error& error, const std::string& task, const GroupOptions& options,
                   Console& console) {
  return report(explain(error, task, options), options.format(), console);
}

Listing listing_of(const std::map<std::string, Group>& groups) {
  json::Value list = json::Value::array();
  Table table({{"GROUP"}, {"BROKERS", Align::Right}, {"RETRIES", Align::Right}, {"CONSUMING"}});
  for (const auto& [name, group] : groups) {
    json::Value brokers = json::Value::array();
    for (const std::string& broker : group.brokers) brokers.push_back(broker);
    json::Value value = json::Value::object();
    value.set("group", name).set("brokers", std::move(brokers));
    value.set("consume_enable", group.config.consume_enable);
    value.set("retry_max_times", group.config.retry_max_times);
    value.set("orderly", group.config.consume_message_orderly);
    list.push_back(std::move(value));
    table.add_row({name, std::to_string(group.brokers.size()),
                   std::to_string(group.config.retry_max_times),
                   group.config.consume_enable ? "allowed" : "switched off"});
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("groups", std::move(list));
  return listing;
}

ExitCode list_groups(const GroupOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) return fail_with(targets.error(), "list groups", options, console);
  const auto answers = ask_each<SubscriptionGroupTableBody>(
      *targets, session, [&](const Target& target) { return admin.groups(target.address); });
  std::map<std::string, Group> groups;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) return fail_with(answers[i].error(), "list groups", options, console);
    for (const auto& [name, config] : answers[i]->groups) {
      Group& group = groups[name];
      if (group.brokers.empty()) group.config = config;
      group.brokers.push_back((*targets)[i].broker);
    }
  }
  show(listing_of(groups), options.format(), console);
  return ExitCode::Ok;
}

Failure no_offsets(const LagOptions& options) {
  Failure failure;
  failure.exit = ExitCode::NotFound;
  failure.code = "GROUP_UNKNOWN";
  failure.message = "group '" + options.group + "' has committed nothing";
  if (!options.topic.empty()) failure.message += " in topic '" + options.topic + "'";
  failure.hint = "'rmq group list' shows all groups; one that has consumed nothing has no lag yet.";
  return failure;
}

Listing listing_of(const ConsumeStats& stats, const LagOptions& options) {
  std::int64_t sum = 0;
  json::Value queues = json::Value::array();
  Table table({{"TOPIC"},
               {"BROKER"},
               {"QUEUE", Align::Right},
               {"COMMITTED", Align::Right},
               {"END", Align::Right},
               {"LAG", Align::Right},
               {"LAST CONSUMED"}});
  for (const auto& [queue, of] : stats.queues) {
    const std::int64_t lag = of.broker - of.consumer;
    sum += lag;
    const std::string last = of.last_timestamp > 0 ? format_time_ms(of.last_timestamp) : "-";
    table.add_row({queue.topic, queue.broker_name, std::to_string(queue.queue_id),
                   std::to_string(of.consumer.value), std::to_string(of.broker.value),
                   std::to_string(lag), last});
    json::Value value = json::Value::object();
    value.set("topic", queue.topic).set("broker", queue.broker_name).set("queue", queue.queue_id);
    value.set("committed", of.consumer.value).set("end", of.broker.value).set("lag", lag);
    value.set("last_consumed_ms", of.last_timestamp);
    queues.push_back(std::move(value));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.note = "lag of all queues: " + std::to_string(sum);
  listing.value = json::Value::object();
  listing.value.set("group", options.group).set("lag", sum).set("queues", std::move(queues));
  return listing;
}

ExitCode show_lag(const LagOptions& options, Session& session, Console& console) {
  const std::string task = "show the lag of group '" + options.group + "'";
  AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) return fail_with(targets.error(), task, options, console);
  const auto answers = ask_each<ConsumeStats>(*targets, session, [&](const Target& target) {
    return admin.consume_stats(target.address, options.group);
  });
  ConsumeStats all;
  for (const auto& answer : answers) {
    if (!answer) return fail_with(answer.error(), task, options, console);
    for (const auto& [queue, of] : answer->queues) {
      if (options.topic.empty() || queue.topic == options.topic) all.queues[queue] = of;
    }
  }
  if (all.queues.empty()) return report(no_offsets(options), options.format(), console);
  show(listing_of(all, options), options.format(), console);
  return ExitCode::Ok;
}

// One member, and the brokers that it is connected to.
struct Member {
  protocol::ClientConnection client;
  std::vector<std::string> brokers;
};

Listing listing_of(const std::map<std::string, Member>& members,
                   const std::map<std::string, std::set<std::string>>& subscriptions,
                   const GroupOptions& options) {
  json::Value list = json::Value::array();
  Table clients({{"CLIENT"}, {"ADDRESS"}, {"LANGUAGE"}, {"BROKERS", Align::Right}});
  for (const auto& [id, member] : members) {
    const std::string language(protocol::language_name(member.client.language));
    json::Value value = json::Value::object();
    value.set("client", id).set("address", member.client.address);
    value.set("language", language).set("brokers", member.brokers.size());
    list.push_back(std::move(value));
    clients.add_row({id, member.client.address, language, std::to_string(member.brokers.size())});
  }
  json::Value topics = json::Value::object();
  Table expressions({{"TOPIC"}, {"EXPRESSION"}});
  for (const auto& [topic, texts] : subscriptions) {
    json::Value values = json::Value::array();
    for (const std::string& text : texts) {
      values.push_back(text);
      expressions.add_row({topic, text});
    }
    topics.set(topic, std::move(values));
  }
  Listing listing;
  listing.tables.push_back(std::move(clients));
  listing.tables.push_back(std::move(expressions));
  listing.value = json::Value::object();
  listing.value.set("group", options.group).set("members", std::move(list));
  listing.value.set("subscriptions", std::move(topics));
  return listing;
}

Failure nobody_there(const GroupOptions& options) {
  Failure failure;
  failure.exit = ExitCode::NotFound;
  failure.code = "CONSUMER_NOT_ONLINE";
  failure.message = "no consumer of group '" + options.group + "' is connected";
  failure.hint = "'rmq group lag " + options.group + "' shows how far it has come.";
  return failure;
}

ExitCode describe_group(const GroupOptions& options, Session& session, Console& console) {
  const std::string task = "describe group '" + options.group + "'";
  AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) return fail_with(targets.error(), task, options, console);
  const auto answers = ask_each<ConsumerConnection>(*targets, session, [&](const Target& target) {
    return admin.consumers(target.address, options.group);
  });
  std::map<std::string, Member> members;
  // All that members say: when it is not the same, that is what an operator looks for.
  std::map<std::string, std::set<std::string>> subscriptions;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      if (answers[i].error().code == ResponseCode::ConsumerNotOnline) continue;
      return fail_with(answers[i].error(), task, options, console);
    }
    for (const protocol::ClientConnection& client : answers[i]->connections) {
      Member& member = members[client.client_id];
      member.client = client;
      member.brokers.push_back((*targets)[i].broker);
    }
    for (const auto& [topic, data] : answers[i]->subscriptions) {
      subscriptions[topic].insert(data.sub_string);
    }
  }
  if (members.empty()) return report(nobody_there(options), options.format(), console);
  show(listing_of(members, subscriptions, options), options.format(), console);
  return ExitCode::Ok;
}

}  // namespace

void add_group_commands(const Command& root, Console& console) {
  const Command noun = root.noun("group", "Consumer groups: how far they are, and who is in them");
  {
    const auto [verb, options] =
        add_verb<GroupOptions>(noun, "list", "Show the groups", "rmq group list");
    add_target_options(verb, *options);
    run_as_reader(verb, options, console, list_groups);
  }
  {
    const auto [verb, options] = add_verb<LagOptions>(
        noun, "lag", "Show how far a group is behind, queue by queue", "rmq group lag billing");
    verb.option("GROUP", options->group, "The group").required();
    verb.option("--topic", options->topic, "Only queues of this topic");
    add_target_options(verb, *options);
    run_as_reader(verb, options, console, show_lag);
  }
  {
    const auto [verb, options] = add_verb<GroupOptions>(
        noun, "describe", "Show who is connected, and what they subscribe to",
        "rmq group describe billing");
    verb.option("GROUP", options->group, "The group").required();
    add_target_options(verb, *options);
    run_as_reader(verb, options, console, describe_group);
  }
  add_group_changes(noun, console);
}

}  // namespace rmq::cli
