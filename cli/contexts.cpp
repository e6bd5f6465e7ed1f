#include "cli/contexts.h"

#include <cstdlib>
#include <optional>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "cli/suggest.h"
#include "client/name_servers.h"
#include "config/config_errc.h"

namespace rmq::cli {
namespace {

using config::ConfigErrc;

std::string place(const std::string& path, const toml::node& node) {
  return path + ":" + std::to_string(node.source().begin.line) + ": ";
}

Result<std::string> text_of(const std::string& path, const std::string& key,
                            const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  return fail(ConfigErrc::BadValue, place(path, node) + key + ": expected a string in quotes");
}

Result<Context> context_from(const std::string& path, const std::string& name,
                             const toml::node& node) {
  const std::string prefix = "contexts." + name;
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return fail(ConfigErrc::BadValue,
                place(path, node) + prefix + ": expected a table, [" + prefix + "]");
  }
  Context context;
  for (const auto& [key, value] : *table) {
    const std::string full = prefix + "." + std::string(key.str());
    if (key.str() != "namesrv") {
      return fail(ConfigErrc::UnknownKey,
                  place(path, value) + full + ": there is no such setting; there is namesrv");
    }
    RMQ_TRY(context.namesrv, text_of(path, full, value));
    if (!client::parse_name_servers(context.namesrv)) {
      return fail(ConfigErrc::BadValue, place(path, value) + full + ": '" + context.namesrv +
                                            "' is not host:port[;host:port...]");
    }
  }
  if (context.namesrv.empty()) {
    return fail(ConfigErrc::BadValue, place(path, node) + prefix + ": namesrv is missing");
  }
  return context;
}

Result<Contexts> parse_contexts(const std::string& text, const std::string& path) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto line = parsed.error().source().begin.line;
    return fail(ConfigErrc::Syntax, path + ":" + std::to_string(line) + ": " +
                                        std::string(parsed.error().description()));
  }
  Contexts contexts;
  for (const auto& [key, node] : parsed.table()) {
    if (key.str() == "current") {
      RMQ_TRY(contexts.current, text_of(path, "current", node));
    } else if (key.str() == "contexts" && node.is_table()) {
      for (const auto& [name, context] : *node.as_table()) {
        RMQ_TRY(contexts.all[std::string(name.str())],
                context_from(path, std::string(name.str()), context));
      }
    } else {
      return fail(ConfigErrc::UnknownKey,
                  place(path, node) + std::string(key.str()) +
                      ": there is no such setting; there are current and [contexts.NAME]");
    }
  }
  return contexts;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::vector<std::string> names_of(const Contexts& contexts) {
  std::vector<std::string> names;
  for (const auto& [name, context] : contexts.all) names.push_back(name);
  return names;
}

// The name servers of context `name`, which `source` named.
Result<std::string> name_servers_of(const Contexts& contexts, const std::string& name,
                                    const std::string& source, const std::string& path) {
  const auto found = contexts.all.find(name);
  if (found != contexts.all.end()) return found->second.namesrv;
  return fail(ContextErrc::Unknown, "'" + name + "' (" + source + "), in " + path + "." +
                                        did_you_mean(name, names_of(contexts)));
}

}  // namespace

ContextEnvironment ContextEnvironment::current() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  ContextEnvironment environment;
  environment.rmq_config = variable("RMQ_CONFIG");
  environment.xdg_config_home = variable("XDG_CONFIG_HOME");
  environment.home = variable("HOME");
  environment.namesrv_addr = variable("NAMESRV_ADDR");
  return environment;
}

std::string contexts_path(const ContextEnvironment& environment) {
  if (!environment.rmq_config.empty()) return environment.rmq_config;
  if (!environment.xdg_config_home.empty()) {
    return environment.xdg_config_home + "/rmq/contexts.toml";
  }
  return environment.home.empty() ? "" : environment.home + "/.config/rmq/contexts.toml";
}

Result<Contexts> load_contexts(FileSystem& files, const std::string& path) {
  if (path.empty()) return Contexts{};
  const Result<std::string> text = read_text_file(files, path);
  if (text) return parse_contexts(*text, path);
  if (text.error().code == std::errc::no_such_file_or_directory) return Contexts{};
  return fail(ConfigErrc::Unreadable, path + ": " + text.error().code.message());
}

Result<> save_contexts(FileSystem& files, const std::string& path, const Contexts& contexts) {
  std::string text = "# Written by 'rmq context'.\n";
  if (!contexts.current.empty()) text += "current = " + quoted(contexts.current) + "\n";
  for (const auto& [name, context] : contexts.all) {
    text += "\n[contexts." + quoted(name) + "]\nnamesrv = " + quoted(context.namesrv) + "\n";
  }
  RMQ_CHECK(files.make_directories(parent_directory(path)));
  return write_file_atomically(files, path, as_bytes(text));
}

std::string check_context_name(const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (!name.empty() && name.find_first_not_of(kAllowed) == std::string::npos) return "";
  return "'" + name + "' is no name for a context: use letters, digits, '-', '_' and '.'";
}

Result<std::string> choose_name_servers(const CommonOptions& options,
                                        const ContextEnvironment& environment, FileSystem& files) {
  if (!options.namesrv_given.empty()) return options.namesrv_given;
  if (options.context.empty() && !environment.namesrv_addr.empty()) return environment.namesrv_addr;
  const std::string path = contexts_path(environment);
  RMQ_TRY(const Contexts contexts, load_contexts(files, path));
  if (!options.context.empty()) {
    return name_servers_of(contexts, options.context, "--context", path);
  }
  if (contexts.current.empty()) return std::string(kDefaultNameServers);
  return name_servers_of(contexts, contexts.current, "the current context", path);
}

}  // namespace rmq::cli
