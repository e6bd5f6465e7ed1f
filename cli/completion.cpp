#include "cli/completion.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ostream>

#include "cli/completion_names.h"
#include "cli/completion_scripts.h"
#include "cli/exit_code.h"

namespace rmq::cli {
namespace {

// What a value is one of, by the name of its option or argument: they mean the same everywhere.
NameKind kind_of(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, NameKind>, 12> kKinds{
      {{"TOPIC", NameKind::Topic},
       {"--topic", NameKind::Topic},
       {"GROUP", NameKind::Group},
       {"BROKER", NameKind::Broker},
       {"--broker", NameKind::Broker},
       {"--cluster", NameKind::Cluster},
       {"CONTEXT", NameKind::Context},
       {"--context", NameKind::Context},
       {"--file", NameKind::File},
       {"--data", NameKind::File},
       {"FIRST", NameKind::File},
       {"SECOND", NameKind::File}}};
  for (const auto& [known, kind] : kKinds) {
    if (name == known) return kind;
  }
  return name == "--config" ? NameKind::File : NameKind::None;
}

// The command that the words lead to, and what was already there of it.
struct Walk {
  explicit Walk(const Command& root) : command(root), options(root.options()) {}

  const OptionInfo* find(const std::string& name) const {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const OptionInfo& option) { return option.name == name; });
    return found == options.end() ? nullptr : &*found;
  }

  Command command;
  std::vector<OptionInfo> options;
  std::vector<std::string> given;         // names of options
  std::size_t positionals = 0;            // arguments that were there
  const OptionInfo* waits_for = nullptr;  // the option whose value comes next
  bool only_positionals = false;          // behind "--"
};

void note_cluster(const std::string& option, const std::string& value, CompletionPlace& place) {
  if (option == "--namesrv") place.namesrv = value;
  if (option == "--context") place.context = value;
}

void step(const std::string& word, Walk& walk, CompletionPlace& place) {
  if (walk.waits_for != nullptr) {
    note_cluster(walk.waits_for->name, word, place);
    walk.waits_for = nullptr;
    return;
  }
  if (word == "--") {
    walk.only_positionals = true;
    return;
  }
  if (word.starts_with("-") && !walk.only_positionals) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    walk.given.push_back(name);
    if (equals != std::string::npos) {
      note_cluster(name, word.substr(equals + 1), place);
    } else if (const OptionInfo* option = walk.find(name); option && option->takes_value) {
      walk.waits_for = option;
    }
    return;
  }
  for (const Command& next : walk.command.subcommands()) {
    if (next.name() == word) {
      walk = Walk(next);
      return;
    }
  }
  ++walk.positionals;
}

void add_values(const OptionInfo& option, CompletionPlace& place) {
  place.names = kind_of(option.name);
  for (const std::string& value : option.values) {
    if (value.starts_with(place.value)) place.known.push_back({place.prefix + value, ""});
  }
}

void add_option_names(const Walk& walk, const std::string& word, CompletionPlace& place) {
  for (const OptionInfo& option : walk.options) {
    if (option.positional || !option.name.starts_with(word)) continue;
    const bool given =
        std::find(walk.given.begin(), walk.given.end(), option.name) != walk.given.end();
    if (!given || option.repeats) place.known.push_back({option.name, option.help});
  }
  if (std::string("--help").starts_with(word)) {
    place.known.push_back({"--help", "Print this help message and exit"});
  }
}

// The argument that comes next, if there is one.
const OptionInfo* next_positional(const Walk& walk) {
  std::size_t index = 0;
  for (const OptionInfo& option : walk.options) {
    if (!option.positional) continue;
    if (index == walk.positionals || (option.repeats && index < walk.positionals)) return &option;
    ++index;
  }
  return nullptr;
}

}  // namespace

CompletionPlace find_place(const Command& root, const std::vector<std::string>& words) {
  CompletionPlace place;
  const std::string word = words.empty() ? std::string() : words.back();
  Walk walk(root);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) step(words[i], walk, place);
  place.value = word;
  if (walk.waits_for != nullptr) {
    add_values(*walk.waits_for, place);
    return place;
  }
  if (word.starts_with("-") && !walk.only_positionals) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      add_option_names(walk, word, place);
      return place;
    }
    place.prefix = word.substr(0, equals + 1);
    place.value = word.substr(equals + 1);
    if (const OptionInfo* option = walk.find(word.substr(0, equals))) add_values(*option, place);
    return place;
  }
  const std::vector<Command> commands = walk.command.subcommands();
  for (const Command& command : commands) {
    if (command.name().starts_with(word)) {
      place.known.push_back({command.name(), command.description()});
    }
  }
  if (!commands.empty()) return place;
  if (const OptionInfo* option = next_positional(walk)) add_values(*option, place);
  return place;
}

void complete(const Command& root, const std::vector<std::string>& words, Console& console) {
  const CompletionPlace place = find_place(root, words);
  if (place.names == NameKind::File) {
    console.out << ":files\n";
    return;
  }
  for (const Completion& completion : place.known) {
    console.out << completion.text << "\t" << completion.help << "\n";
  }
  for (const std::string& name : ask_names(place)) {
    if (name.starts_with(place.value)) console.out << place.prefix << name << "\t\n";
  }
}

void add_completion_command(const Command& root, Console& console) {
  const Command command =
      root.subcommand("completion", "Print a script that lets a shell complete rmq's commands");
  command.footer(
      "Examples:\n  source <(rmq completion bash)\n  rmq completion zsh > "
      "/usr/local/share/zsh/site-functions/_rmq");
  const auto shell = std::make_shared<std::string>();
  command.option("SHELL", *shell, "The shell").required().one_of({"bash", "zsh"});
  command.does([shell, &console] {
    console.out << (*shell == "bash" ? kBashCompletion : kZshCompletion) << std::flush;
  });
}

}  // namespace rmq::cli
