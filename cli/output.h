// What a command found, in the form that was asked for: one place for all of them. A command says
// it twice, as tables and as one JSON value; the rest is done here.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command_line.h"
#include "cli/common_options.h"
#include "cli/render.h"

namespace rmq::cli {

struct Listing {
  std::vector<Table> tables;  // for people all of them, for CSV the first
  std::string note;           // a line behind the tables, for people only; may be empty
  json::Value value;
};

// table, wide: the tables; json: one line; yaml: a document that begins with "---"; csv: a line of
// names and the rows.
void show(const Listing& listing, OutputFormat format, Console& console);

// One value as JSON or YAML, for what comes bit by bit; `format` must be one of them.
void print_value(const json::Value& value, OutputFormat format, Console& console);

// A line for people, escaped; nothing in any other form.
void say(const std::string& line, OutputFormat format, Console& console);

}  // namespace rmq::cli
