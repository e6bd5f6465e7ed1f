#include "protocol/command.h"

#include <array>

#include "base/text.h"

namespace rmq::protocol {
namespace {

constexpr std::array<std::string_view, 14> kLanguageNames{
    "JAVA",  "CPP",  "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY",
    "OTHER", "HTTP", "GO",     "PHP",    "OMS",    "RUST",   "NODE_JS"};

}  // namespace

std::string_view language_name(Language language) {
  return kLanguageNames[static_cast<std::size_t>(language)];
}

Language language_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kLanguageNames.size(); ++i) {
    if (equals_ignoring_case(kLanguageNames[i], name)) return static_cast<Language>(i);
  }
  return Language::Other;
}

Language language_from_number(std::int64_t ordinal) {
  const bool known = ordinal >= 0 && ordinal < static_cast<std::int64_t>(kLanguageNames.size());
  return known ? static_cast<Language>(ordinal) : Language::Other;
}

std::optional<std::string_view> CommandView::find(std::string_view key) const {
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (field->key == key) return field->value;
  }
  return std::nullopt;
}

Command::Command(const CommandView& view)
    : code(view.code),
      language(view.language),
      version(view.version),
      opaque(view.opaque),
      flag(view.flag),
      type(view.type),
      remark(view.remark),
      body(view.body.begin(), view.body.end()) {
  fields.reserve(view.fields.size());
  for (const CommandView::Field& field : view.fields) {
    fields.emplace_back(std::string(field.key), std::string(field.value));
  }
}

CommandView Command::view() const {
  CommandView view;
  view.code = code;
  view.language = language;
  view.version = version;
  view.opaque = opaque;
  view.flag = flag;
  view.type = type;
  view.remark = remark;
  view.fields.reserve(fields.size());
  for (const auto& [key, value] : fields) view.fields.push_back({key, value});
  view.body = body;
  return view;
}

}  // namespace rmq::protocol
