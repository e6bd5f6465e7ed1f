#include "cli/server_settings.h"

#include <algorithm>
#include <optional>

#include "cli/suggest.h"

namespace rmq::cli {
namespace {

std::optional<std::string> find(const JavaProperties& settings, const std::string& key) {
  std::optional<std::string> found;
  for (const auto& [name, value] : settings) {
    if (name == key) found = value;
  }
  return found;
}

std::string title_of(const std::string& kind) {
  std::string title = kind;
  for (char& c : title) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return title;
}

// A value, or null when there is none.
json::Value value_of(const std::optional<std::string>& text) {
  return text ? json::Value(*text) : json::Value();
}

}  // namespace

std::string check_setting(const std::string& text) {
  const auto equals = text.find('=');
  if (equals != std::string::npos && equals > 0) return "";
  return "'" + text + "' is not KEY=VALUE";
}

JavaProperties settings_from(const std::vector<std::string>& texts) {
  JavaProperties settings;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return settings;
}

Listing settings_listing(const std::string& kind, const std::vector<Target>& servers,
                         const std::vector<Result<JavaProperties>>& settings,
                         const std::vector<std::string>& keys) {
  Table table({{title_of(kind)}, {"KEY"}, {"VALUE"}});
  json::Value list = json::Value::array();
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!settings[i]) continue;
    JavaProperties shown = *settings[i];
    std::stable_sort(shown.begin(), shown.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    json::Value values = json::Value::object();
    for (const auto& [key, value] : shown) {
      if (!keys.empty() && std::find(keys.begin(), keys.end(), key) == keys.end()) continue;
      table.add_row({servers[i].broker, key, value});
      values.set(key, value);
    }
    json::Value server = json::Value::object();
    server.set("name", servers[i].broker).set("address", servers[i].address);
    server.set("settings", std::move(values));
    list.push_back(std::move(server));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("servers", std::move(list));
  return listing;
}

Listing change_listing(const SettingsChange& change, const std::vector<Target>& servers,
                       const std::vector<Result<JavaProperties>>& before,
                       const std::vector<Result<bool>>& results) {
  Table table({{title_of(change.kind)}, {"KEY"}, {"OLD"}, {"NEW"}, {"RESULT"}});
  json::Value list = json::Value::array();
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const bool set = !change.dry_run && results[i].has_value();
    json::Value values = json::Value::array();
    for (const auto& [key, value] : change.wanted) {
      const std::optional<std::string> old = before[i] ? find(*before[i], key) : std::nullopt;
      const std::string result = change.dry_run ? (old == value ? "as it is" : "would change")
                                 : set          ? "set"
                                                : "failed";
      table.add_row({servers[i].broker, key, old.value_or("-"), value, result});
      json::Value item = json::Value::object();
      item.set("key", key).set("old", value_of(old)).set("new", value);
      values.push_back(std::move(item));
    }
    json::Value server = json::Value::object();
    server.set("name", servers[i].broker).set("address", servers[i].address);
    server.set("set", set).set("settings", std::move(values));
    if (!change.dry_run && !results[i]) server.set("error", results[i].error().message());
    list.push_back(std::move(server));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("dry_run", change.dry_run).set("servers", std::move(list));
  return listing;
}

std::string unknown_key(const JavaProperties& wanted,
                        const std::vector<Result<JavaProperties>>& settings) {
  std::vector<std::string> known;
  for (const auto& of_one : settings) {
    if (!of_one) continue;
    for (const auto& [key, value] : *of_one) known.push_back(key);
  }
  for (const auto& [key, value] : wanted) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return "there is no setting '" + key + "'." + did_you_mean(key, known);
  }
  return "";
}

}  // namespace rmq::cli
