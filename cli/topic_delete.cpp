// `rmq topic delete`.
#include "cli/command.h"
#include "cli/consent.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "cli/topic.h"
#include "cli/topic_names.h"

namespace rmq::cli {
namespace {

using client::AdminClient;

struct DeleteOptions : CommonOptions {
  std::string topic;
  std::string cluster;
  Consent consent;
};

// One step of a deletion, at a broker or a name server.
struct Step {
  std::string kind;
  Target target;
  Result<bool> result;
};

Listing listing_of(const DeleteOptions& options, const std::vector<Step>& steps) {
  Table table({{"TOPIC"}, {"WHERE"}, {"SERVER"}, {"ADDRESS"}, {"RESULT"}});
  json::Value servers = json::Value::array();
  for (const Step& step : steps) {
    table.add_row({options.topic, step.kind, step.target.broker, step.target.address,
                   step.result ? "deleted" : "failed"});
    json::Value server = json::Value::object();
    server.set("kind", step.kind).set("server", step.target.broker);
    server.set("address", step.target.address).set("deleted", step.result.has_value());
    if (!step.result) server.set("error", step.result.error().message());
    servers.push_back(std::move(server));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("topic", options.topic).set("servers", std::move(servers));
  return listing;
}

// At one name server, with its order, which would make an ordered topic of the next one with this
// name.
net::Task<Result<bool>> forget_topic(AdminClient& admin, std::string address,
                                     const DeleteOptions& options) {
  const Result<> deleted =
      co_await admin.delete_topic_in_namesrv(address, options.topic, options.cluster);
  if (!deleted) co_return fail(deleted.error());
  const Result<> forgotten = co_await admin.delete_order_config(address, options.topic);
  if (!forgotten) co_return fail(forgotten.error());
  co_return true;
}

// Brokers first: one that still had the topic would register it again.
std::vector<Step> delete_everywhere(const DeleteOptions& options,
                                    const std::vector<Target>& brokers, AdminClient& admin,
                                    Session& session) {
  std::vector<Step> steps;
  const auto at_brokers = ask_each<bool>(brokers, session, [&](const Target& target) {
    return done(admin.delete_topic(target.address, options.topic));
  });
  bool all = true;
  for (std::size_t i = 0; i < brokers.size(); ++i) {
    steps.push_back({"broker", brokers[i], at_brokers[i]});
    all = all && at_brokers[i].has_value();
  }
  if (!all) return steps;
  const std::vector<Target> name_servers = name_server_targets(session);
  const auto at_name_servers = ask_each<bool>(name_servers, session, [&](const Target& target) {
    return forget_topic(admin, target.address, options);
  });
  for (std::size_t i = 0; i < name_servers.size(); ++i) {
    steps.push_back({"name server", name_servers[i], at_name_servers[i]});
  }
  return steps;
}

ExitCode delete_topic(const DeleteOptions& options, Session& session, Console& console) {
  const std::string task = "delete topic '" + options.topic + "'";
  AdminClient admin(session.client(), options.timeout());
  auto found = find_targets("", options.cluster, admin, session);
  if (found) found = keep_brokers_of(options.topic, std::move(*found), admin, session);
  if (!found) {
    return report(explain_topic_error(found.error(), task, options.topic, options, session),
                  options.format(), console);
  }
  const auto refusal =
      ask_consent(options.consent, task + " and all its messages on " + names_of(*found),
                  options.topic, options.format(), console);
  if (refusal) return *refusal;
  const std::vector<Step> steps = delete_everywhere(options, *found, admin, session);
  show(listing_of(options, steps), options.format(), console);
  ExitCode code = ExitCode::Ok;
  for (const Step& step : steps) {
    if (step.result) continue;
    const std::string where = task + " on " + step.kind + " '" + step.target.broker + "'";
    // The result with all servers is out already.
    code = report(explain(step.result.error(), where, options), OutputFormat::Table, console);
  }
  return code;
}

}  // namespace

void add_topic_delete(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<DeleteOptions>(
      noun, "delete", "Delete a topic with its messages, on all brokers and name servers",
      "rmq topic delete Orders --dry-run");
  verb.option("TOPIC", options->topic, "The topic").required();
  verb.option("--cluster", options->cluster, "In this cluster").type("CLUSTER");
  add_consent_options(verb, options->consent);
  run_as(verb, options, console, delete_topic);
}

}  // namespace rmq::cli
