#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace rmq::cli {
namespace {

// CLI11 says "FORMAT:{table,json}" of an option whose values are listed, and "MS:1 to 9" of a
// range; "HOST:PORT" is only a type.
void split_type(const std::string& text, OptionInfo& info) {
  static constexpr std::array<std::string_view, 3> kChecks{":{", ":POSITIVE", ":NONNEGATIVE"};
  std::size_t end = text.size();
  for (const std::string_view check : kChecks) end = std::min(end, text.find(check));
  if (const auto to = text.find(" to "); to != std::string::npos) end = text.rfind(':', to);
  info.type = text.substr(0, end);
  const auto brace = text.find('{');
  if (brace == std::string::npos || text.back() != '}') return;
  std::string value;
  for (const char c : text.substr(brace + 1)) {
    if (c != ',' && c != '}') {
      value += c;
      continue;
    }
    info.values.push_back(value);
    value.clear();
  }
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::type(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Option& Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option& Option::one_of(const std::vector<std::string>& values) {
  option_->check(CLI::IsMember(values));
  return *this;
}

Option& Option::within(std::int64_t least, std::int64_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  const auto check = [=](const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && value >= least && value <= most) return std::string();
    return "'" + text + "' is not a whole number from " + range;
  };
  option_->check(CLI::Validator(check, range));
  return *this;
}

Option& Option::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option& Option::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return *this;
}

Option& Option::between(double least, double most) {
  std::ostringstream range;
  range << least << " to " << most;
  const auto check = [least, most, range = range.str()](const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0' && value >= least && value <= most) return std::string();
    return "'" + text + "' is not a number from " + range;
  };
  option_->check(CLI::Validator(check, range.str()));
  return *this;
}

Option& Option::checked_by(const std::function<std::string(const std::string&)>& check) {
  option_->check(CLI::Validator(check, ""));
  return *this;
}

Option& Option::from_environment(const std::string& name) {
  option_->envname(name);
  return *this;
}

Option& Option::separated_by(char separator) {
  option_->delimiter(separator);
  return *this;
}

Option& Option::one_value_each_time() {
  option_->allow_extra_args(false);
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Option& Option::needs(const Option& other) {
  option_->needs(other.option_);
  return *this;
}

Option& Option::in_group(const std::string& heading) {
  option_->group(heading);
  return *this;
}

Option& Option::value_may_be_left_out(const std::string& value) {
  option_->expected(0, 1)->default_str(value);
  return *this;
}

bool Option::given() const { return option_->count() > 0; }

Command Command::subcommand(const std::string& name, const std::string& description) const {
  return Command(*app_->add_subcommand(name, description));
}

Command Command::noun(const std::string& name, const std::string& description) const {
  const Command noun = subcommand(name, description);
  noun.app_->require_subcommand(1);
  return noun;
}

template <class T>
Option Command::option(const std::string& name, T& into, const std::string& help) const {
  return Option(app_->add_option(name, into, help));
}
template Option Command::option(const std::string&, std::string&, const std::string&) const;
template Option Command::option(const std::string&, std::int32_t&, const std::string&) const;
template Option Command::option(const std::string&, std::int64_t&, const std::string&) const;
template Option Command::option(const std::string&, std::optional<std::uint16_t>&,
                                const std::string&) const;
template Option Command::option(const std::string&, std::optional<std::int32_t>&,
                                const std::string&) const;
template Option Command::option(const std::string&, std::optional<std::int64_t>&,
                                const std::string&) const;
template Option Command::option(const std::string&, double&, const std::string&) const;
template Option Command::option(const std::string&, std::optional<double>&,
                                const std::string&) const;
template Option Command::option(const std::string&, std::vector<std::string>&,
                                const std::string&) const;

Option Command::flag(const std::string& name, bool& into, const std::string& help) const {
  return Option(app_->add_flag(name, into, help));
}

void Command::footer(const std::string& text) const { app_->footer(text); }

void Command::after_parse(std::function<void()> callback) const {
  app_->parse_complete_callback(std::move(callback));
}

void Command::does(std::function<void()> work) const { app_->callback(std::move(work)); }

void Command::hide() const { app_->group(""); }

std::string Command::name() const { return app_->get_name(); }
std::string Command::description() const { return app_->get_description(); }
std::string Command::footer_text() const { return app_->get_footer(); }

std::vector<Command> Command::subcommands() const {
  std::vector<Command> commands;
  for (CLI::App* app : app_->get_subcommands([](CLI::App*) { return true; })) {
    if (!app->get_group().empty()) commands.push_back(Command(*app));
  }
  return commands;
}

std::vector<OptionInfo> Command::options() const {
  std::vector<OptionInfo> infos;
  for (CLI::Option* option : app_->get_options()) {
    if (option == app_->get_help_ptr() || option->get_group().empty()) continue;
    OptionInfo info;
    info.positional = option->get_positional();
    info.name = info.positional ? option->get_name(true) : option->get_name();
    info.takes_value = option->get_items_expected_max() > 0;
    info.help = option->get_description();
    info.default_text = info.takes_value ? option->get_default_str() : "";
    info.group = option->get_group();
    info.required = option->get_required();
    info.repeats = option->get_items_expected_max() > 1;
    if (info.takes_value) split_type(option->get_type_name(), info);
    infos.push_back(std::move(info));
  }
  return infos;
}

std::string Command::help(const std::string& parent) const { return app_->help(parent); }

}  // namespace rmq::cli
