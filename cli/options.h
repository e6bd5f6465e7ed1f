// Command and Option: what a command takes and does, in CLI11's terms but without its headers,
// which cost seconds in every file that has them. Both are handles; the tree they point into
// belongs to run_command_line(). Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace rmq::cli {

class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option& required();
  // What the help calls its value: "ADDR".
  Option& type(const std::string& name);
  // The help says what the variable holds now.
  Option& shows_default();
  Option& one_of(const std::vector<std::string>& values);
  Option& within(std::int64_t least, std::int64_t most);
  Option& positive();
  Option& not_negative();
  Option& between(double least, double most);
  // `check` says what is wrong with a value, or nothing: "".
  Option& checked_by(const std::function<std::string(const std::string&)>& check);
  // The variable of the environment that stands in for it.
  Option& from_environment(const std::string& name);
  Option& separated_by(char separator);
  // May be repeated, but takes one value each time.
  Option& one_value_each_time();
  Option& excludes(const Option& other);
  Option& needs(const Option& other);
  // The heading that the help shows it under.
  Option& in_group(const std::string& heading);
  // Without a value it is as if `value` were given.
  Option& value_may_be_left_out(const std::string& value);
  // Whether it was on the command line, once that was parsed.
  bool given() const;

 private:
  CLI::Option* option_;
};

// What a help text, a document or a completion says about an option.
struct OptionInfo {
  std::string name;  // "--queues", or "TOPIC" for what has no name
  std::string type;  // of its value; empty for a flag
  std::string help;
  std::string default_text;         // empty: none to tell
  std::vector<std::string> values;  // when only these are taken
  std::string group;
  bool takes_value = true;
  bool positional = false;
  bool required = false;
  bool repeats = false;
};

class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  Command subcommand(const std::string& name, const std::string& description) const;
  // One that does nothing without a verb behind it.
  Command noun(const std::string& name, const std::string& description) const;
  // "--name" or, for what has no name, "NAME". T is any type that options.cpp has an instance for;
  // `into` must live as long as the tree.
  template <class T>
  Option option(const std::string& name, T& into, const std::string& help) const;
  Option flag(const std::string& name, bool& into, const std::string& help) const;
  // What the help ends with.
  void footer(const std::string& text) const;
  // Once all options have their values; before the work.
  void after_parse(std::function<void()> callback) const;
  void does(std::function<void()> work) const;
  // Not in help texts, documents and completions.
  void hide() const;

  std::string name() const;
  std::string description() const;
  std::string footer_text() const;
  // In the order in which they were made; hidden ones are left out.
  std::vector<Command> subcommands() const;
  // Without --help.
  std::vector<OptionInfo> options() const;
  // As if "--help" stood behind it; `parent` is what stands before its name.
  std::string help(const std::string& parent) const;

 private:
  CLI::App* app_;
};

}  // namespace rmq::cli
