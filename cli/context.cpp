#include "cli/context.h"

#include <memory>

#include "cli/contexts.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/suggest.h"
#include "client/name_servers.h"

namespace rmq::cli {
namespace {

struct ContextOptions : CommonOptions {
  std::string name;
  std::string namesrv_to_set;
  bool use = false;
};

// The file, read; what goes wrong is reported.
struct OpenFile {
  std::string path;
  Contexts contexts;
};

Result<OpenFile> open_file() {
  OpenFile file;
  file.path = contexts_path(ContextEnvironment::current());
  RMQ_TRY(file.contexts, load_contexts(FileSystem::posix(), file.path));
  return file;
}

ExitCode refuse(const Error& error, const std::string& task, const ContextOptions& options,
                Console& console) {
  Failure failure = explain(error, task, options);
  failure.exit = ExitCode::Usage;
  failure.hint = "Mend or remove that file; RMQ_CONFIG names another one.";
  return report(failure, options.format(), console);
}

ExitCode save(const OpenFile& file, const std::string& done, const ContextOptions& options,
              Console& console) {
  if (file.path.empty()) {
    return report(usage_failure("there is no place for a contexts file",
                                "Set RMQ_CONFIG, XDG_CONFIG_HOME or HOME."),
                  options.format(), console);
  }
  const Result<> saved = save_contexts(FileSystem::posix(), file.path, file.contexts);
  if (!saved) {
    Failure failure = explain(saved.error(), "write " + file.path, options);
    failure.exit = ExitCode::Failed;
    failure.hint = "Set RMQ_CONFIG to a file that you may write.";
    return report(failure, options.format(), console);
  }
  say(done, options.format(), console);
  if (is_for_programs(options.format())) {
    json::Value value = json::Value::object();
    value.set("file", file.path).set("current", file.contexts.current);
    print_value(value, options.format(), console);
  }
  return ExitCode::Ok;
}

ExitCode no_such_context(const OpenFile& file, const ContextOptions& options, Console& console) {
  std::vector<std::string> names;
  for (const auto& [name, context] : file.contexts.all) names.push_back(name);
  return report(usage_failure("there is no context '" + options.name + "' in " + file.path + "." +
                                  did_you_mean(options.name, names),
                              "'rmq context list' shows all, 'rmq context set' makes one."),
                options.format(), console);
}

ExitCode list_contexts(const OpenFile& file, const ContextOptions& options, Console& console) {
  Table table({{"CURRENT"}, {"NAME"}, {"NAME SERVERS"}});
  json::Value list = json::Value::array();
  for (const auto& [name, context] : file.contexts.all) {
    table.add_row({name == file.contexts.current ? "*" : "", name, context.namesrv});
    json::Value value = json::Value::object();
    value.set("name", name).set("namesrv", context.namesrv);
    value.set("current", name == file.contexts.current);
    list.push_back(std::move(value));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  if (list.items().empty()) listing.note = "no contexts in " + file.path;
  listing.value = json::Value::object();
  listing.value.set("file", file.path).set("current", file.contexts.current);
  listing.value.set("contexts", std::move(list));
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

// One context, or which cluster a command without any option would mean.
ExitCode show_context(const OpenFile& file, const ContextOptions& options, Console& console) {
  CommonOptions asked;
  asked.context = options.name;
  if (!options.name.empty() && !file.contexts.all.contains(options.name)) {
    return no_such_context(file, options, console);
  }
  const ContextEnvironment environment = ContextEnvironment::current();
  const auto namesrv = choose_name_servers(asked, environment, FileSystem::posix());
  if (!namesrv) return refuse(namesrv.error(), "show the current context", options, console);
  std::string source = "context '" + options.name + "'";
  if (options.name.empty()) {
    source = !environment.namesrv_addr.empty() ? "NAMESRV_ADDR"
             : file.contexts.current.empty()   ? "the default"
                                               : "the current context";
  }
  const std::string name = options.name.empty() && environment.namesrv_addr.empty()
                               ? file.contexts.current
                               : options.name;
  Table table({{"NAME"}, {"NAME SERVERS"}, {"FROM"}, {"FILE"}});
  table.add_row({name.empty() ? "-" : name, *namesrv, source, file.path});
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("name", name).set("namesrv", *namesrv).set("from", source);
  listing.value.set("file", file.path);
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

ExitCode use_context(OpenFile file, const ContextOptions& options, Console& console) {
  if (!file.contexts.all.contains(options.name)) return no_such_context(file, options, console);
  file.contexts.current = options.name;
  return save(file, "the current context is now " + options.name, options, console);
}

ExitCode set_context(OpenFile file, const ContextOptions& options, Console& console) {
  const auto addresses = client::parse_name_servers(options.namesrv_to_set);
  if (!addresses) {
    return report(explain(addresses.error(), "set context '" + options.name + "'", options),
                  options.format(), console);
  }
  file.contexts.all[options.name].namesrv = options.namesrv_to_set;
  if (options.use || file.contexts.all.size() == 1) file.contexts.current = options.name;
  const std::string current =
      file.contexts.current == options.name ? ", and is the current context" : "";
  return save(file, options.name + " is " + options.namesrv_to_set + current, options, console);
}

ExitCode delete_context(OpenFile file, const ContextOptions& options, Console& console) {
  if (file.contexts.all.erase(options.name) == 0) return no_such_context(file, options, console);
  if (file.contexts.current == options.name) file.contexts.current.clear();
  return save(file, "context " + options.name + " is deleted", options, console);
}

using Work = ExitCode (*)(const OpenFile&, const ContextOptions&, Console&);
using Change = ExitCode (*)(OpenFile, const ContextOptions&, Console&);

template <class Do>
void run_on_file(const Command& verb, const std::shared_ptr<ContextOptions>& options,
                 Console& console, Do work) {
  add_output_option(verb, *options);
  verb.does([options, &console, work] {
    auto file = open_file();
    if (!file) return finish(refuse(file.error(), "read the contexts", *options, console));
    finish(work(std::move(*file), *options, console));
  });
}

}  // namespace

void add_context_commands(const Command& root, Console& console) {
  const Command noun =
      root.noun("context", "Names for clusters, so that no command needs --namesrv");
  const auto add = [&](const std::string& name, const std::string& help,
                       const std::string& example) {
    const Command verb = noun.subcommand(name, help);
    verb.footer("Example:\n  " + example);
    return std::pair(verb, std::make_shared<ContextOptions>());
  };
  {
    const auto [verb, options] = add("list", "Show the contexts", "rmq context list");
    run_on_file(verb, options, console, Work{list_contexts});
  }
  {
    const auto [verb, options] =
        add("show", "Show one, or which cluster is meant now, and why", "rmq context show prod");
    verb.option("CONTEXT", options->name, "The context");
    run_on_file(verb, options, console, Work{show_context});
  }
  {
    const auto [verb, options] = add("use", "Make one the current context", "rmq context use prod");
    verb.option("CONTEXT", options->name, "The context").required();
    run_on_file(verb, options, console, Change{use_context});
  }
  {
    const auto [verb, options] = add("set", "Make or change one; the first becomes the current one",
                                     "rmq context set prod '10.0.0.1:9876;10.0.0.2:9876'");
    verb.option("NAME", options->name, "The context").required().checked_by(check_context_name);
    verb.option("NAMESRV", options->namesrv_to_set, "Its name servers, as host:port[;host:port...]")
        .required();
    verb.flag("--use", options->use, "Make it the current one");
    run_on_file(verb, options, console, Change{set_context});
  }
  {
    const auto [verb, options] = add("delete", "Forget one", "rmq context delete prod");
    verb.option("CONTEXT", options->name, "The context").required();
    run_on_file(verb, options, console, Change{delete_context});
  }
}

}  // namespace rmq::cli
