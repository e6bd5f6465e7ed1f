// The verbs of `rmq group` that change something: they want --yes, or --dry-run to show it only.
#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "cli/consent.h"
#include "cli/group.h"
#include "cli/message_format.h"
#include "cli/output.h"
#include "cli/suggest.h"
#include "cli/topic_names.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using protocol::QueueOffsetMap;
using protocol::ResponseCode;

struct ChangeOptions : GroupOptions {
  Consent consent;
};

struct ResetOptions : ChangeOptions {
  std::string topic;
  std::string to;
};

// No broker knows the group: which one is near.
std::optional<Failure> unknown_group(const ChangeOptions& options,
                                     const std::vector<Target>& targets, AdminClient& admin,
                                     Session& session) {
  const auto answers = ask_each<protocol::SubscriptionGroupTableBody>(
      targets, session, [&](const Target& target) { return admin.groups(target.address); });
  std::vector<std::string> names;
  for (const auto& answer : answers) {
    if (!answer) return std::nullopt;  // what comes next says why
    for (const auto& [name, config] : answer->groups) names.push_back(name);
  }
  if (std::find(names.begin(), names.end(), options.group) != names.end()) return std::nullopt;
  Failure failure;
  failure.exit = ExitCode::NotFound;
  failure.code = "GROUP_UNKNOWN";
  failure.message =
      "there is no group '" + options.group + "'." + did_you_mean(options.group, names);
  failure.hint = "'rmq group list' shows all groups.";
  return failure;
}

ExitCode delete_group(const ChangeOptions& options, Session& session, Console& console) {
  const std::string task = "delete group '" + options.group + "'";
  AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) return report(explain(targets.error(), task, options), options.format(), console);
  if (const auto unknown = unknown_group(options, *targets, admin, session)) {
    return report(*unknown, options.format(), console);
  }
  const auto refusal =
      ask_consent(options.consent, task + " and its offsets on " + names_of(*targets),
                  options.group, options.format(), console);
  if (refusal) return *refusal;
  const auto answers = ask_each<bool>(*targets, session, [&](const Target& target) {
    return done(admin.delete_group(target.address, options.group));
  });
  for (const auto& answer : answers) {
    if (answer) continue;
    return report(explain(answer.error(), task, options), options.format(), console);
  }
  json::Value brokers = json::Value::array();
  Table table({{"GROUP"}, {"BROKER"}, {"ADDRESS"}, {"RESULT"}});
  for (const Target& target : *targets) {
    brokers.push_back(target.broker);
    table.add_row({options.group, target.broker, target.address, "deleted"});
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("group", options.group).set("deleted_on", std::move(brokers));
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

// Nothing when `text` is neither a time nor one of the two words.
std::optional<std::int64_t> time_of(const std::string& text) {
  if (text == "earliest") return 0;
  if (text == "latest") return -1;
  return parse_time_ms(text);
}

std::string check_to(const std::string& text) {
  if (time_of(text)) return "";
  return "'" + text + "' is not earliest, latest, or a time like 2024-05-01T12:00:00";
}

void print_offsets(const QueueOffsetMap& offsets, const ResetOptions& options, Console& console) {
  json::Value queues = json::Value::array();
  Table table({{"BROKER"}, {"QUEUE", Align::Right}, {"OFFSET", Align::Right}});
  for (const auto& [queue, offset] : offsets) {
    table.add_row(
        {queue.broker_name, std::to_string(queue.queue_id), std::to_string(offset.value)});
    json::Value value = json::Value::object();
    value.set("broker", queue.broker_name).set("queue", queue.queue_id);
    value.set("offset", offset.value);
    queues.push_back(std::move(value));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("group", options.group).set("topic", options.topic);
  listing.value.set("queues", std::move(queues));
  show(listing, options.format(), console);
}

ExitCode reset_group(const ResetOptions& options, Session& session, Console& console) {
  const std::string task =
      "set group '" + options.group + "' in topic '" + options.topic + "' to " + options.to;
  AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) return report(explain(targets.error(), task, options), options.format(), console);
  if (*time_of(options.to) > Clock::system().now_ms()) {
    return report(usage_failure("--to: " + options.to + " is in the future",
                                "Write '--to latest' to skip all that is there."),
                  options.format(), console);
  }
  if (const auto unknown = unknown_group(options, *targets, admin, session)) {
    return report(*unknown, options.format(), console);
  }
  const auto refusal = ask_consent(options.consent, task + " on " + names_of(*targets),
                                   options.group, options.format(), console);
  if (refusal) return *refusal;
  const std::int64_t at = *time_of(options.to);
  const auto answers = ask_each<QueueOffsetMap>(*targets, session, [&](const Target& target) {
    return admin.reset_offsets(target.address, options.topic, options.group, at);
  });
  QueueOffsetMap offsets;
  // A broker without the topic is none of its brokers, unless none has it.
  std::optional<Error> error;
  for (const auto& answer : answers) {
    if (answer) {
      offsets.insert(answer->begin(), answer->end());
    } else if (!error && answer.error().code != ResponseCode::TopicNotExist) {
      error = answer.error();
    }
  }
  if (!offsets.empty()) print_offsets(offsets, options, console);
  if (!error && offsets.empty()) error = answers.front().error();
  if (!error) return ExitCode::Ok;
  return report(explain_topic_error(*error, task, options.topic, options, session),
                options.format(), console);
}

}  // namespace

void add_group_changes(const Command& noun, Console& console) {
  {
    const auto [verb, options] = add_verb<ResetOptions>(
        noun, "reset", "Let a group read a topic again, or skip to a later place",
        "rmq group reset billing Orders --to 2024-05-01T12:00:00 --yes");
    verb.option("GROUP", options->group, "The group").required();
    verb.option("TOPIC", options->topic, "The topic").required();
    verb.option("--to", options->to, "earliest, latest, or a time (UTC, or epoch ms)")
        .required()
        .checked_by(check_to)
        .type("WHERE");
    add_target_options(verb, *options);
    add_consent_options(verb, options->consent);
    run_as(verb, options, console, reset_group);
  }
  {
    const auto [verb, options] = add_verb<ChangeOptions>(
        noun, "delete", "Forget a group and its offsets", "rmq group delete billing --yes");
    verb.option("GROUP", options->group, "The group").required();
    add_target_options(verb, *options);
    add_consent_options(verb, options->consent);
    run_as(verb, options, console, delete_group);
  }
}

}  // namespace rmq::cli
