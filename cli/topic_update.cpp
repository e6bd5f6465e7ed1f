// `rmq topic update`.
#include <optional>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "cli/topic.h"
#include "cli/topic_names.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using protocol::TopicConfig;

struct UpdateOptions : TargetOptions {
  std::string topic;
  std::optional<std::int32_t> queues;
  std::optional<std::int32_t> read_queues;
  std::optional<std::int32_t> write_queues;
  std::string perm;
  std::string order;
  bool dry_run = false;
};

TopicConfig changed(TopicConfig config, const UpdateOptions& options) {
  if (options.queues) config.read_queue_nums = config.write_queue_nums = *options.queues;
  if (options.read_queues) config.read_queue_nums = *options.read_queues;
  if (options.write_queues) config.write_queue_nums = *options.write_queues;
  // Other bits of it stay.
  if (!options.perm.empty()) {
    config.perm &= ~(protocol::kPermRead | protocol::kPermWrite);
    config.perm |= perm_of(options.perm);
  }
  if (!options.order.empty()) config.order = options.order == "yes";
  return config;
}

// "8 -> 16", or what it is when nothing changes.
std::string change_text(const std::string& before, const std::string& after) {
  return before == after ? after : before + " -> " + after;
}

json::Value value_of(const TopicConfig& config) {
  json::Value value = json::Value::object();
  value.set("read_queues", config.read_queue_nums).set("write_queues", config.write_queue_nums);
  value.set("perm", perm_text(config.perm)).set("order", config.order);
  return value;
}

struct Change {
  Target target;
  TopicConfig before;
  TopicConfig after;
  Result<bool> result = true;
};

Listing listing_of(const UpdateOptions& options, const std::vector<Change>& changes) {
  Table table({{"TOPIC"}, {"BROKER"}, {"READ"}, {"WRITE"}, {"PERM"}, {"ORDER"}, {"RESULT"}});
  json::Value brokers = json::Value::array();
  for (const Change& change : changes) {
    const TopicConfig& before = change.before;
    const TopicConfig& after = change.after;
    const std::string result = before == after   ? "as it was"
                               : options.dry_run ? "would change"
                               : change.result   ? "changed"
                                                 : "failed";
    const auto number = [](std::int32_t n) { return std::to_string(n); };
    const auto yes_no = [](bool on) { return std::string(on ? "yes" : "no"); };
    table.add_row({options.topic, change.target.broker,
                   change_text(number(before.read_queue_nums), number(after.read_queue_nums)),
                   change_text(number(before.write_queue_nums), number(after.write_queue_nums)),
                   change_text(perm_text(before.perm), perm_text(after.perm)),
                   change_text(yes_no(before.order), yes_no(after.order)), result});
    json::Value broker = json::Value::object();
    broker.set("broker", change.target.broker).set("address", change.target.address);
    broker.set("before", value_of(before)).set("after", value_of(after));
    broker.set("changed", !options.dry_run && before != after && change.result);
    if (!change.result) broker.set("error", change.result.error().message());
    brokers.push_back(std::move(broker));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("topic", options.topic).set("dry_run", options.dry_run);
  listing.value.set("brokers", std::move(brokers));
  return listing;
}

// What is asked for, for each broker that has the topic.
Result<std::vector<Change>> plan_changes(const UpdateOptions& options, AdminClient& admin,
                                         Session& session) {
  RMQ_TRY(std::vector<Target> all, find_targets(options, admin, session));
  RMQ_TRY(const std::vector<Target> targets,
          keep_brokers_of(options.topic, std::move(all), admin, session));
  const auto configs = ask_each<TopicConfig>(targets, session, [&](const Target& target) {
    return admin.topic_config(target.address, options.topic);
  });
  std::vector<Change> changes;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!configs[i]) return fail(configs[i].error());
    changes.push_back({targets[i], *configs[i], changed(*configs[i], options)});
  }
  return changes;
}

void make_changes(std::vector<Change>& changes, AdminClient& admin, Session& session) {
  std::vector<Target> targets;
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].before == changes[i].after) continue;
    targets.push_back({std::to_string(i), changes[i].target.address});
    indexes.push_back(i);
  }
  const auto results = ask_each<bool>(targets, session, [&](const Target& target) {
    TopicConfig config = changes[std::stoul(target.broker)].after;
    config.attributes.clear();  // none named: they stay as they are
    return done(admin.create_topic(target.address, std::move(config)));
  });
  for (std::size_t i = 0; i < indexes.size(); ++i) changes[indexes[i]].result = results[i];
}

// What is to be told to name servers about order, where that changes: on every one of them, because
// brokers take it from there.
Result<> change_order(const UpdateOptions& options, const std::vector<Change>& changes,
                      AdminClient& admin, Session& session) {
  for (const Change& change : changes) {
    const bool told =
        !change.after.order ||
        (change.before.order && change.before.write_queue_nums == change.after.write_queue_nums);
    if (told) continue;
    RMQ_CHECK(publish_order(options.topic, {change.target}, change.after.write_queue_nums, admin,
                            session));
  }
  if (options.order != "no") return {};
  for (const Target& server : name_server_targets(session)) {
    RMQ_CHECK(session.run<Result<>>(
        [&] { return admin.delete_order_config(server.address, options.topic); }));
  }
  return {};
}

ExitCode update_topic(const UpdateOptions& options, Session& session, Console& console) {
  const std::string task = "update topic '" + options.topic + "'";
  if (!options.queues && !options.read_queues && !options.write_queues && options.perm.empty() &&
      options.order.empty()) {
    return report(usage_failure("nothing to change in topic '" + options.topic + "'",
                                "Give --queues, --read-queues, --write-queues, --perm or --order."),
                  options.format(), console);
  }
  AdminClient admin(session.client(), options.timeout());
  auto changes = plan_changes(options, admin, session);
  if (!changes) {
    return report(explain_topic_error(changes.error(), task, options.topic, options, session),
                  options.format(), console);
  }
  if (!options.dry_run) {
    const auto ordered = change_order(options, *changes, admin, session);
    if (!ordered) {
      return report(
          explain(ordered.error(), "tell the name servers the order of the topic", options),
          options.format(), console);
    }
    make_changes(*changes, admin, session);
  }
  show(listing_of(options, *changes), options.format(), console);
  ExitCode code = ExitCode::Ok;
  for (const Change& change : *changes) {
    if (change.result) continue;
    const std::string where = task + " on broker '" + change.target.broker + "'";
    // The result with all brokers is out already.
    code = report(explain(change.result.error(), where, options), OutputFormat::Table, console);
  }
  return code;
}

}  // namespace

void add_topic_update(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<UpdateOptions>(
      noun, "update", "Change a topic; what is not named stays as it is on each broker",
      "rmq topic update Orders --write-queues 16 --dry-run");
  verb.option("TOPIC", options->topic, "The topic").required();
  const Option queues =
      verb.option("--queues", options->queues, "Queues on each broker, to read and to write")
          .within(1, 65'535)
          .type("N");
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
      .type("PERM");
  verb.option("--order", options->order, "Whether its queues stay with their broker")
      .one_of({"yes", "no"})
      .type("YES");
  verb.flag("--dry-run", options->dry_run, "Only show what would change");
  add_target_options(verb, *options);
  run_as(verb, options, console, update_topic);
}

}  // namespace rmq::cli
