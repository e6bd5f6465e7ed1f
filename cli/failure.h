// How a command that failed says so: what happened, where, what to do about it, and the exit code
// that tells the kind. For people on the error stream, each line as "rmq: ..."; with --output json
// (or yaml) also as one JSON line (or document) on the output stream:
// {"error":{"kind","exit_code","code","message","hint"}}.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "cli/command_line.h"
#include "cli/common_options.h"
#include "cli/exit_code.h"

namespace rmq::cli {

struct Failure {
  ExitCode exit = ExitCode::Refused;
  std::string code;     // "TOPIC_NOT_EXIST", or the text of another error code
  std::string message;  // what and where
  std::string hint;     // what to do; may be empty
};

// `task` is what was tried: "create topic 'Orders'".
Failure explain(const Error& error, const std::string& task, const CommonOptions& options);

// A wrong argument that the command line library cannot see.
Failure usage_failure(std::string message, std::string hint = {});

json::Value to_json(const Failure& failure);

// Prints it, and returns its exit code.
ExitCode report(const Failure& failure, OutputFormat format, Console& console);

}  // namespace rmq::cli
