#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "base/json.h"
#include "cli/bench.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/output.h"

namespace rmq::cli {
namespace {

struct CompareOptions : CommonOptions {
  std::string first;
  std::string second;
};

struct Figure {
  const char* title;
  const char* object;  // of the result, or empty
  const char* key;
};
constexpr Figure kFigures[] = {{"messages/s", "", "messages_per_second"},
                               {"p50 us", "latency_us", "p50"},
                               {"p99 us", "latency_us", "p99"},
                               {"p99.9 us", "latency_us", "p99_9"},
                               {"max us", "latency_us", "max"},
                               {"server CPU us/message", "server", "cpu_us_per_message"},
                               {"server memory bytes", "server", "memory_bytes"}};

Result<json::Value> read_result(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return fail(std::make_error_code(std::errc::no_such_file_or_directory), path);
  RMQ_TRY(json::Value value, json::parse(text));
  if (value.text_or("bench", "").empty()) {
    return fail(json::JsonErrc::Malformed, path + ": not the result of a benchmark");
  }
  return value;
}

std::optional<double> find(const json::Value& result, const Figure& figure) {
  const json::Value* from = &result;
  if (*figure.object != '\0') from = result.find(figure.object);
  const json::Value* value = from == nullptr ? nullptr : from->find(figure.key);
  return value == nullptr ? std::nullopt : value->as_double();
}

std::string format(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

ExitCode compare(const CompareOptions& options, Console& console) {
  const auto first = read_result(options.first);
  const auto second = read_result(options.second);
  if (!first || !second) {
    const Error& error = first ? second.error() : first.error();
    return report(usage_failure("cannot compare: " + error.message(),
                                "Give two files written by 'rmq bench ... --output json'."),
                  options.format(), console);
  }
  Table table({{"FIGURE"},
               {options.first, Align::Right},
               {options.second, Align::Right},
               {"RATIO", Align::Right}});
  json::Value figures = json::Value::array();
  for (const Figure& figure : kFigures) {
    const auto a = find(*first, figure);
    const auto b = find(*second, figure);
    if (!a || !b) continue;
    table.add_row({figure.title, format(*a, 2), format(*b, 2), *a > 0 ? format(*b / *a, 2) : "-"});
    json::Value value = json::Value::object();
    value.set("figure", figure.title).set("first", *a).set("second", *b);
    if (*a > 0) value.set("ratio", *b / *a);
    figures.push_back(std::move(value));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("first", options.first).set("second", options.second);
  listing.value.set("figures", std::move(figures));
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

}  // namespace

void add_bench_compare(const Command& noun, Console& console) {
  const Command verb = noun.subcommand("compare", "Put two results side by side");
  verb.footer(
      "Example:\n  rmq bench produce T --output json > a.json\n  rmq bench compare a.json b.json");
  const auto options = std::make_shared<CompareOptions>();
  verb.option("FIRST", options->first, "A result as JSON").required();
  verb.option("SECOND", options->second, "Another one").required();
  add_output_option(verb, *options);
  verb.does([options, &console] { finish(compare(*options, console)); });
}

}  // namespace rmq::cli
