#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <ostream>
#include <sstream>

#include "cli/bench.h"
#include "cli/broker.h"
#include "cli/cluster.h"
#include "cli/common_options.h"
#include "cli/completion.h"
#include "cli/config.h"
#include "cli/context.h"
#include "cli/controller.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/group.h"
#include "cli/message.h"
#include "cli/namesrv.h"
#include "cli/reference.h"
#include "cli/route.h"
#include "cli/serve.h"
#include "cli/store.h"
#include "cli/suggest.h"
#include "cli/topic.h"

namespace rmq::cli {
namespace {

constexpr const char* kVersionText = "rmq " RMQ_VERSION " (speaks RocketMQ 5.3)";

std::vector<std::string> names_of_commands(CLI::App& app) {
  std::vector<std::string> names;
  for (const Command& command : Command(app).subcommands()) names.push_back(command.name());
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// The command that the words of `arguments` lead to, and how many words that were.
struct Chosen {
  CLI::App* command;
  std::string parent;  // "rmq topic"
  std::string path;    // "rmq topic create"
  std::size_t words;
};

Chosen choose_command(CLI::App& root, const std::vector<std::string>& arguments) {
  Chosen chosen{&root, "", "rmq", 0};
  for (const std::string& word : arguments) {
    const auto next = chosen.command->get_subcommands(
        [&](const CLI::App* command) { return command->get_name() == word; });
    if (next.empty()) break;
    chosen = {next.front(), chosen.path, chosen.path + " " + word, chosen.words + 1};
  }
  return chosen;
}

// What is wrong with the words and option names, in terms of what is known; CLI11 only says
// "required" or "unexpected".
std::optional<std::string> find_misspelling(const Chosen& chosen,
                                            const std::vector<std::string>& arguments) {
  const std::vector<std::string> commands = names_of_commands(*chosen.command);
  if (!commands.empty() && chosen.words < arguments.size() &&
      arguments[chosen.words].rfind("-", 0) != 0) {
    const std::string& word = arguments[chosen.words];
    return "unknown command '" + word + "' after '" + chosen.path + "'." +
           did_you_mean(word, commands);
  }
  const std::vector<std::string> options = names_of_options(*chosen.command);
  for (std::size_t i = chosen.words; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (arguments[i].rfind("--", 0) != 0) continue;
    const std::string name = arguments[i].substr(0, arguments[i].find('='));
    if (std::find(options.begin(), options.end(), name) != options.end()) continue;
    return "'" + chosen.path + "' has no option '" + name + "'." + did_you_mean(name, options);
  }
  return std::nullopt;
}

void describe(CLI::App& app) {
  app.description("RocketMQ server and its operation, in one program.");
  app.set_version_flag("--version", kVersionText, "Print the version and leave");
  app.footer(exit_code_help() +
             "\nExamples:\n  rmq serve\n  rmq topic create Orders\n  rmq message send Orders 'two "
             "teapots'");
  app.require_subcommand(1);
}

void build(CLI::App& app, Console& console) {
  describe(app);
  const Command root(app);
  add_serve_command(root, console);
  add_topic_commands(root, console);
  add_route_commands(root, console);
  add_cluster_commands(root, console);
  add_broker_commands(root, console);
  add_namesrv_commands(root, console);
  add_controller_commands(root, console);
  add_group_commands(root, console);
  add_message_commands(root, console);
  add_context_commands(root, console);
  add_store_commands(root, console);
  add_bench_commands(root, console);
  add_config_commands(root, console);
  add_completion_command(root, console);
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, Console& console) {
  CLI::App app{"", "rmq"};
  build(app, console);
  // What scripts and the build ask for, not people: any word may follow.
  if (!arguments.empty() && arguments.front() == "__complete") {
    complete(Command(app), {arguments.begin() + 1, arguments.end()}, console);
    return static_cast<int>(ExitCode::Ok);
  }
  if (arguments == std::vector<std::string>{"__reference"}) {
    console.out << command_reference(Command(app));
    return static_cast<int>(ExitCode::Ok);
  }

  const Chosen chosen = choose_command(app, arguments);
  const auto refuse_usage = [&](const std::string& what) {
    const Failure failure = usage_failure(what, "See '" + chosen.path + " --help'.");
    return static_cast<int>(report(failure, format_asked_for(arguments), console));
  };
  if (const auto misspelling = find_misspelling(chosen, arguments)) {
    return refuse_usage(*misspelling);
  }
  if (const std::vector<std::string> verbs = names_of_commands(*chosen.command);
      !verbs.empty() && !arguments.empty() && chosen.words == arguments.size()) {
    std::string list;
    for (const std::string& verb : verbs) list += (list.empty() ? "" : ", ") + verb;
    return refuse_usage("'" + chosen.path + "' wants one of: " + list);
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    return static_cast<int>(ExitCode::Ok);
  } catch (const CLI::CallForVersion& version) {
    console.out << version.what() << "\n";
    return static_cast<int>(ExitCode::Ok);
  } catch (const CLI::CallForHelp&) {
    console.out << chosen.command->help(chosen.parent);
    return static_cast<int>(ExitCode::Ok);
  } catch (const CommandEnded& ended) {
    return static_cast<int>(ended.code);
  } catch (const CLI::ParseError& wrong) {
    return refuse_usage(wrong.what());
  }
}

std::string command_line_reference() {
  std::ostringstream nowhere;
  Console console{nowhere, nowhere};
  CLI::App app{"", "rmq"};
  build(app, console);
  return command_reference(Command(app));
}

}  // namespace rmq::cli
