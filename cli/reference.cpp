#include "cli/reference.h"

#include <algorithm>
#include <vector>

#include "cli/common_options.h"
#include "cli/exit_code.h"

namespace rmq::cli {
namespace {

constexpr const char* kIntro =
    R"(# The command line

Written by `make cli-docs` from the help texts of rmq; a test of the build says when it is old. `rmq COMMAND --help` shows the
same in a terminal.

)";

std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string term_of(const OptionInfo& option) {
  std::string term = option.name;
  if (!option.positional && option.takes_value && !option.type.empty()) term += " " + option.type;
  return "`" + term + "`";
}

std::string text_of(const OptionInfo& option) {
  std::string text = option.help;
  std::string values;
  for (const std::string& value : option.values) values += (values.empty() ? "" : ", ") + value;
  if (!values.empty()) text += ": " + values;
  if (!option.default_text.empty()) text += " (" + option.default_text + ")";
  if (option.required) text += "; required";
  return text;
}

void append_options(const std::vector<OptionInfo>& options, std::string& out) {
  if (options.empty()) return;
  out += "| | |\n| --- | --- |\n";
  for (const OptionInfo& option : options) {
    out += "| " + cell(term_of(option)) + " | " + cell(text_of(option)) + " |\n";
  }
  out += "\n";
}

// Those of the command itself, and those that many have.
struct Split {
  std::vector<OptionInfo> own;
  std::vector<OptionInfo> common;
};

Split split(const Command& command) {
  Split options;
  for (OptionInfo& option : command.options()) {
    (option.group == kCommonGroup ? options.common : options.own).push_back(std::move(option));
  }
  return options;
}

// The lines of a footer that are indented: without "Example:".
std::string example_of(const Command& command) {
  std::string out;
  std::string text = command.footer_text();
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (text.starts_with("  ")) out += "    " + text.substr(2, end - 2) + "\n";
    text.erase(0, end + 1);
  }
  return out;
}

void append_command(const Command& command, const std::string& parent, std::string& out) {
  const std::string path = parent + " " + command.name();
  const std::vector<Command> verbs = command.subcommands();
  if (!verbs.empty()) {
    out += "## " + path + "\n\n" + command.description() + ".\n\n";
    for (const bool nouns : {false, true}) {
      for (const Command& next : verbs) {
        if (next.subcommands().empty() != nouns) append_command(next, path, out);
      }
    }
    return;
  }
  const Split options = split(command);
  std::string usage = path;
  for (const OptionInfo& option : options.own) {
    if (!option.positional) continue;
    const std::string name = option.name + (option.repeats ? "..." : "");
    usage += option.required ? " " + name : " [" + name + "]";
  }
  if (options.own.size() + options.common.size() > 0) usage += " [OPTIONS]";
  out += (parent == "rmq" ? "## " : "### ") + path + "\n\n" + command.description() + ".\n\n    " +
         usage + "\n\n";
  append_options(options.own, out);
  const std::string example = example_of(command);
  if (!example.empty()) out += "Example:\n\n" + example + "\n";
}

// The first command's that has them.
std::vector<OptionInfo> common_options(const Command& command) {
  const Split options = split(command);
  if (options.common.size() > 1) return options.common;
  for (const Command& next : command.subcommands()) {
    std::vector<OptionInfo> found = common_options(next);
    if (!found.empty()) return found;
  }
  return {};
}

std::string exit_codes() {
  std::string out = "| | |\n| --- | --- |\n";
#define RMQ_EXIT_CODE(name, number, text, meaning) out += "| " #number " | " meaning " |\n";
  RMQ_EXIT_CODES(RMQ_EXIT_CODE)
#undef RMQ_EXIT_CODE
  return out;
}

}  // namespace

std::string command_reference(const Command& root) {
  std::string out = kIntro;
  out += "## Options of all commands\n\nOf all that talk to a cluster.\n\n";
  append_options(common_options(root), out);
  out += "## Exit codes\n\n" + exit_codes() + "\n";
  for (const Command& command : root.subcommands()) append_command(command, "rmq", out);
  out.pop_back();
  return out;
}

}  // namespace rmq::cli
