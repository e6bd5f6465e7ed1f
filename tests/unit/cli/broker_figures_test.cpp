#include "cli/broker_figures.h"

#include <doctest/doctest.h>

#include <map>

using namespace rmq;
using namespace rmq::cli;

namespace {

std::map<std::string, std::string> figures(std::map<std::string, std::string> table) {
  std::map<std::string, std::string> out;
  for (const auto& [title, value] : readable_figures({std::move(table)})) out[title] = value;
  return out;
}

}  // namespace

TEST_CASE("broker figures: in words and units of people") {
  auto shown = figures({{"brokerVersionDesc", "V5_3_3"},
                        {"bootTimestamp", "1700000000123"},
                        {"putTps", "1.4999999 20 300.25"},
                        {"msgPutTotalTodayNow", "10"},
                        {"msgPutTotalTodayMorning", "7"},
                        {"msgPutTotalYesterdayMorning", "5"},
                        {"commitLogMinOffset", "1024"},
                        {"commitLogMaxOffset", "1073742848"},
                        {"dispatchBehindBytes", "17"},
                        {"commitLogDiskRatio", "0.3357"}});
  CHECK(shown["version"] == "V5_3_3");
  CHECK(shown["running since"] == "2023-11-14 22:13:20.123");
  CHECK(shown["messages in per second, of 10 s, 1 min, 10 min"] == "1.5  20.0  300.2");
  CHECK(shown["messages in today"] == "3");
  CHECK(shown["messages in yesterday"] == "2");
  CHECK(shown["log"] == "1.0 GiB (1024 to 1073742848)");
  CHECK(shown["not visible to consumers yet"] == "17 B");
  CHECK(shown["disk of the log in use"] == "33.6 %");
}

TEST_CASE("broker figures: what a broker does not say, or says strangely") {
  for (const auto& figure : figures({})) CHECK_MESSAGE(figure.second == "-", figure.first);
  auto shown = figures({{"putTps", "fast"},
                        {"bootTimestamp", "yesterday"},
                        {"commitLogDiskRatio", "-1"},
                        {"commitLogMinOffset", "12x"},
                        {"commitLogMaxOffset", "99"}});
  CHECK(shown["messages in per second, of 10 s, 1 min, 10 min"] == "fast");
  CHECK(shown["running since"] == "-");
  CHECK(shown["disk of the log in use"] == "-");
  CHECK(shown["log"] == "-");
  CHECK_FALSE(figure_as_int({{{"a", ""}}}, "a").has_value());
  CHECK(figure_as_int({{{"a", "-5"}}}, "a") == -5);
}
