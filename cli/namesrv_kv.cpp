// `rmq namesrv kv`: keys and values that the name servers keep for brokers and tools.
#include <map>
#include <set>

#include "cli/command.h"
#include "cli/consent.h"
#include "cli/namesrv.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using protocol::KVTable;
using protocol::ResponseCode;

struct KvOptions : CommonOptions {
  std::string name_space;
  std::string key;
  std::string value;
  Consent consent;
};

std::string name_of(const KvOptions& options) {
  std::string name = "namespace '" + options.name_space + "'";
  return options.key.empty() ? name : "key '" + options.key + "' of " + name;
}

// What each name server has; an empty table for one that has nothing.
std::vector<Result<KVTable>> ask_all(const KvOptions& options, const std::vector<Target>& servers,
                                     AdminClient& admin, Session& session) {
  auto answers = ask_each<KVTable>(servers, session, [&](const Target& target) {
    return admin.kv_list(target.address, options.name_space);
  });
  for (auto& answer : answers) {
    if (!answer && answer.error().code == ResponseCode::QueryNotFound) answer = KVTable{};
    if (!answer || options.key.empty()) continue;
    std::erase_if(answer->table, [&](const auto& item) { return item.first != options.key; });
  }
  return answers;
}

Listing listing_of(const KvOptions& options, const std::vector<Target>& servers,
                   const std::vector<Result<KVTable>>& answers) {
  Table table({{"NAME SERVER"}, {"KEY"}, {"VALUE"}});
  json::Value list = json::Value::array();
  for (std::size_t i = 0; i < servers.size(); ++i) {
    json::Value server = json::Value::object();
    server.set("name_server", servers[i].address);
    if (answers[i]) {
      json::Value values = json::Value::object();
      for (const auto& [key, value] : answers[i]->table) {
        table.add_row({servers[i].address, key, value});
        values.set(key, value);
      }
      server.set("values", std::move(values));
    } else {
      server.set("error", answers[i].error().message());
    }
    list.push_back(std::move(server));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("namespace", options.name_space).set("servers", std::move(list));
  return listing;
}

// `get` and `list`.
ExitCode show_values(const KvOptions& options, Session& session, Console& console) {
  const std::string task = "read " + name_of(options);
  AdminClient admin(session.client(), options.timeout());
  const std::vector<Target> servers = name_server_targets(session);
  const auto answers = ask_all(options, servers, admin, session);
  const Error* error = nullptr;
  bool found = false;
  for (const auto& answer : answers) {
    if (!answer && error == nullptr) error = &answer.error();
    found = found || (answer && !answer->table.empty());
  }
  if (!found) {
    if (error != nullptr) {
      return report(explain(*error, task, options), options.format(), console);
    }
    Failure failure;
    failure.exit = ExitCode::NotFound;
    failure.code = "QUERY_NOT_FOUND";
    failure.message = "no name server has " + name_of(options);
    failure.hint = options.key.empty()
                       ? "Namespaces cannot be listed; RocketMQ's own is ORDER_TOPIC_CONFIG."
                       : "'rmq namesrv kv list " + options.name_space + "' shows its keys.";
    return report(failure, options.format(), console);
  }
  show(listing_of(options, servers, answers), options.format(), console);
  if (error == nullptr) return ExitCode::Ok;
  // The result with the others is out already.
  return report(explain(*error, task, options), OutputFormat::Table, console);
}

// `set` and `delete`: on every name server, `verb` says what.
ExitCode change_all(const KvOptions& options, Session& session, Console& console,
                    const std::string& verb,
                    const std::function<net::Task<Result<>>(const Target&)>& change) {
  const std::vector<Target> servers = name_server_targets(session);
  const auto results =
      ask_each<bool>(servers, session, [&](const Target& target) { return done(change(target)); });
  Table table({{"NAME SERVER"}, {"NAMESPACE"}, {"KEY"}, {"RESULT"}});
  json::Value list = json::Value::array();
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const std::string result = results[i] ? verb : "failed";
    table.add_row({servers[i].address, options.name_space, options.key, result});
    json::Value server = json::Value::object();
    server.set("name_server", servers[i].address).set(verb, results[i].has_value());
    if (!results[i]) server.set("error", results[i].error().message());
    list.push_back(std::move(server));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("namespace", options.name_space).set("key", options.key);
  listing.value.set("servers", std::move(list));
  show(listing, options.format(), console);
  ExitCode code = ExitCode::Ok;
  for (const auto& result : results) {
    if (result) continue;
    // The result with all servers is out already.
    code = report(explain(result.error(), "change " + name_of(options), options),
                  OutputFormat::Table, console);
  }
  return code;
}

ExitCode set_value(const KvOptions& options, Session& session, Console& console) {
  AdminClient admin(session.client(), options.timeout());
  return change_all(options, session, console, "set", [&](const Target& target) {
    return admin.put_kv(target.address, options.name_space, options.key, options.value);
  });
}

ExitCode delete_value(const KvOptions& options, Session& session, Console& console) {
  const auto refusal =
      ask_consent(options.consent,
                  "delete " + name_of(options) + " on " + names_of(name_server_targets(session)),
                  options.key, options.format(), console);
  if (refusal) return *refusal;
  AdminClient admin(session.client(), options.timeout());
  return change_all(options, session, console, "deleted", [&](const Target& target) {
    return admin.delete_kv(target.address, options.name_space, options.key);
  });
}

}  // namespace

void add_namesrv_kv(const Command& noun, Console& console) {
  const Command kv = noun.noun("kv", "Keys and values on every name server");
  const auto add = [&](const std::string& name, const std::string& help,
                       const std::string& example) {
    auto made = add_verb<KvOptions>(kv, name, help, example);
    made.first.option("NAMESPACE", made.second->name_space, "The namespace").required();
    return made;
  };
  {
    const auto [verb, options] = add("list", "Show the keys and values of a namespace",
                                     "rmq namesrv kv list ORDER_TOPIC_CONFIG");
    run_as_reader(verb, options, console, show_values);
  }
  {
    const auto [verb, options] =
        add("get", "Show the value of a key", "rmq namesrv kv get ORDER_TOPIC_CONFIG Orders");
    verb.option("KEY", options->key, "The key").required();
    run_as_reader(verb, options, console, show_values);
  }
  {
    const auto [verb, options] = add("set", "Set the value of a key on every name server",
                                     "rmq namesrv kv set ORDER_TOPIC_CONFIG Orders broker-a:8");
    verb.option("KEY", options->key, "The key").required();
    verb.option("VALUE", options->value, "The value").required();
    run_as(verb, options, console, set_value);
  }
  {
    const auto [verb, options] = add("delete", "Delete a key on every name server",
                                     "rmq namesrv kv delete ORDER_TOPIC_CONFIG Orders --yes");
    verb.option("KEY", options->key, "The key").required();
    add_consent_options(verb, options->consent);
    run_as(verb, options, console, delete_value);
  }
}

}  // namespace rmq::cli
