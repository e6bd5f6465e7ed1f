#include "cli/consent.h"

#include <doctest/doctest.h>

#include <sstream>

using namespace rmq::cli;

namespace {

struct Asked {
  std::optional<ExitCode> stopped;
  std::string out;
  std::string err;
};

// `typed`: what somebody at a terminal types; null when there is no terminal.
Asked ask(const Consent& consent, const char* typed, OutputFormat format = OutputFormat::Table) {
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in(typed == nullptr ? "" : typed);
  Console console{out, err};
  if (typed != nullptr) console.in = &in;
  const auto stopped = ask_consent(consent, "delete topic 'T'", "T", format, console);
  return {stopped, out.str(), err.str()};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("consent: --yes asks nobody") {
  const Asked asked = ask({.yes = true}, "no\n");
  CHECK_FALSE(asked.stopped.has_value());
  CHECK(asked.out.empty());
  CHECK(asked.err.empty());
}

TEST_CASE("consent: --dry-run says what would be done, and stops") {
  CHECK(ask({.dry_run = true}, nullptr).stopped == ExitCode::Ok);
  CHECK(ask({.dry_run = true}, nullptr).out == "would delete topic 'T'\n");
  CHECK(ask({.dry_run = true}, nullptr, OutputFormat::Json).out ==
        "{\"dry_run\":true,\"would\":\"delete topic 'T'\"}\n");
}

TEST_CASE("consent: without a terminal it is a usage error") {
  const Asked asked = ask({}, nullptr);
  CHECK(asked.stopped == ExitCode::Usage);
  CHECK(has(asked.err, "this would delete topic 'T'"));
  CHECK(has(asked.err, "--yes"));
}

TEST_CASE("consent: at a terminal the name has to be typed") {
  const Asked right = ask({}, "T\n");
  CHECK_FALSE(right.stopped.has_value());
  CHECK(has(right.err, "Type 'T'"));
  for (const char* typed : {"", "\n", "y\n", "t\n", "T2\n"}) {
    CAPTURE(typed);
    const Asked wrong = ask({}, typed);
    CHECK(wrong.stopped == ExitCode::Usage);
    CHECK(has(wrong.err, "nothing was done"));
  }
}
