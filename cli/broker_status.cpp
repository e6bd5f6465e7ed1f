// `rmq broker status`: what brokers say about themselves.
#include <algorithm>

#include "cli/broker.h"
#include "cli/broker_figures.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/targets.h"

namespace rmq::cli {
namespace {

using protocol::KVTable;

struct StatusOptions : TargetOptions {};

// A column for each broker that answered.
Table figures_table(const std::vector<Target>& targets,
                    const std::vector<Result<KVTable>>& answers) {
  std::vector<Table::Column> columns{{"FIGURE"}};
  std::vector<std::vector<std::string>> rows;
  for (const auto& [title, value] : readable_figures({})) rows.push_back({title});
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!answers[i]) continue;
    columns.push_back({targets[i].broker});
    const auto figures = readable_figures(*answers[i]);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row].push_back(figures[row].second);
  }
  Table table(std::move(columns));
  for (auto& row : rows) table.add_row(std::move(row));
  return table;
}

Table raw_table(const std::vector<Target>& targets, const std::vector<Result<KVTable>>& answers) {
  Table table({{"BROKER"}, {"NAME"}, {"VALUE"}});
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!answers[i]) continue;
    for (const auto& [name, value] : answers[i]->table) {
      table.add_row({targets[i].broker, name, value});
    }
  }
  return table;
}

json::Value value_of(const std::vector<Target>& targets,
                     const std::vector<Result<KVTable>>& answers) {
  json::Value list = json::Value::array();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    json::Value broker = json::Value::object();
    broker.set("broker", targets[i].broker).set("address", targets[i].address);
    if (answers[i]) {
      json::Value figures = json::Value::object();
      for (const auto& [name, value] : answers[i]->table) figures.set(name, value);
      broker.set("figures", std::move(figures));
    } else {
      broker.set("error", answers[i].error().message());
    }
    list.push_back(std::move(broker));
  }
  json::Value value = json::Value::object();
  value.set("brokers", std::move(list));
  return value;
}

ExitCode show_status(const StatusOptions& options, Session& session, Console& console) {
  const std::string task = options.broker.empty() ? std::string("ask the brokers how they are")
                                                  : "ask broker '" + options.broker + "' how it is";
  client::AdminClient admin(session.client(), options.timeout());
  const auto targets = find_targets(options, admin, session);
  if (!targets) return report(explain(targets.error(), task, options), options.format(), console);
  const auto answers = ask_each<KVTable>(
      *targets, session, [&](const Target& target) { return admin.runtime_info(target.address); });
  const bool any = std::any_of(answers.begin(), answers.end(), [](const auto& a) { return !!a; });
  if (!any) {
    return report(explain(answers.front().error(), task, options), options.format(), console);
  }
  Listing listing;
  listing.tables.push_back(figures_table(*targets, answers));
  if (options.format() == OutputFormat::Wide) {
    listing.tables.push_back(raw_table(*targets, answers));
  }
  listing.value = value_of(*targets, answers);
  show(listing, options.format(), console);
  ExitCode code = ExitCode::Ok;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) continue;
    // The result with the others is out already.
    code = report(explain(answers[i].error(), "ask broker '" + (*targets)[i].broker + "'", options),
                  OutputFormat::Table, console);
  }
  return code;
}

}  // namespace

void add_broker_status(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<StatusOptions>(
      noun, "status", "Show what brokers say about themselves; with --output wide all of it",
      "rmq broker status broker-a --watch");
  verb.option("BROKER", options->broker, "The broker: name or address (else: all masters)");
  verb.option("--cluster", options->cluster, "The masters of this cluster").type("CLUSTER");
  run_as_reader(verb, options, console, show_status);
}

}  // namespace rmq::cli
