#include "cli/settings_verbs.h"

#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

// The first server that gave no answer, if any.
const Error* first_error(const std::vector<Result<JavaProperties>>& answers) {
  for (const auto& answer : answers) {
    if (!answer) return &answer.error();
  }
  return nullptr;
}

Failure no_such_setting(const std::string& text) {
  Failure failure;
  failure.exit = ExitCode::NotFound;
  failure.code = "SETTING_UNKNOWN";
  failure.message = text;
  failure.hint =
      "'config get' without a key shows all of them, 'rmq config reference' explains them.";
  return failure;
}

}  // namespace

ExitCode get_settings(const SettingsServers& of, const std::vector<std::string>& keys,
                      const CommonOptions& options, Session& session, Console& console) {
  const auto answers = ask_each<JavaProperties>(of.servers, session, of.read);
  JavaProperties wanted;
  for (const std::string& key : keys) wanted.emplace_back(key, "");
  const Error* error = first_error(answers);
  if (error == nullptr) {
    const std::string unknown = unknown_key(wanted, answers);
    if (!unknown.empty()) return report(no_such_setting(unknown), options.format(), console);
  }
  if (error != nullptr && of.servers.size() == 1) {
    return report(explain(*error, "read the settings of " + of.kind, options), options.format(),
                  console);
  }
  show(settings_listing(of.kind, of.servers, answers, keys), options.format(), console);
  if (error == nullptr) return ExitCode::Ok;
  // The result with the others is out already.
  return report(explain(*error, "read the settings of " + of.kind, options), OutputFormat::Table,
                console);
}

ExitCode set_settings(const SettingsServers& of, const std::vector<std::string>& texts,
                      bool dry_run, const CommonOptions& options, Session& session,
                      Console& console) {
  const std::string task = "change the settings of " + of.kind;
  const SettingsChange change{of.kind, dry_run, settings_from(texts)};
  const auto before = ask_each<JavaProperties>(of.servers, session, of.read);
  if (const Error* error = first_error(before)) {
    return report(explain(*error, task, options), options.format(), console);
  }
  // Servers ignore what they do not know, or refuse it without saying what is near.
  const std::string unknown = unknown_key(change.wanted, before);
  if (!unknown.empty()) return report(no_such_setting(unknown), options.format(), console);
  std::vector<Result<bool>> results;
  if (!dry_run) {
    results = ask_each<bool>(of.servers, session, [&](const Target& target) {
      return done(of.change(target, change.wanted));
    });
  }
  show(change_listing(change, of.servers, before, results), options.format(), console);
  ExitCode code = ExitCode::Ok;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) continue;
    Failure failure =
        explain(results[i].error(), task + " '" + of.servers[i].broker + "'", options);
    if (results[i].error().code.category() == protocol::response_category()) {
      failure.hint =
          "'rmq config reference' says what each setting takes, and which can be changed while the "
          "server runs.";
    }
    // The result with all servers is out already.
    code = report(failure, OutputFormat::Table, console);
  }
  return code;
}

}  // namespace rmq::cli
