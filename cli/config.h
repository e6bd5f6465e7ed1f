// `rmq config`: the document of all settings, and what a config file comes to.
#pragma once

#include <string>

#include "cli/command_line.h"
#include "cli/options.h"
#include "cli/serve_options.h"

namespace rmq::cli {

// docs/config.md.
std::string config_reference();
// The settings of every role that runs as one TOML file; what a Java file has besides them as
// comments. A Java file so becomes a TOML file.
std::string config_as_toml(ServeOptions options);

// `console` must outlive `app`.
void add_config_commands(const Command& root, Console& console);

}  // namespace rmq::cli
