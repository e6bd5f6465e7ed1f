#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <utility>

namespace rmq::cli {

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
  option_->check(CLI::Range(least, most));
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
  option_->check(CLI::Range(least, most));
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

}  // namespace rmq::cli
