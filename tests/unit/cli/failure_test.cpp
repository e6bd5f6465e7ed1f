#include "cli/failure.h"

#include <doctest/doctest.h>

#include <map>
#include <sstream>

#include "client/client_errc.h"
#include "net/net_errc.h"
#include "protocol/response_codes.h"

using namespace rmq;
using namespace rmq::cli;
using client::ClientErrc;
using net::NetErrc;
using protocol::ResponseCode;

TEST_CASE("each kind of error has its exit code and a remedy") {
  const struct {
    std::error_code code;
    ExitCode exit;
  } cases[] = {{NetErrc::ConnectFailed, ExitCode::Unreachable},
               {NetErrc::TimedOut, ExitCode::Unreachable},
               {NetErrc::ConnectionClosed, ExitCode::Unreachable},
               {NetErrc::NameNotResolved, ExitCode::Unreachable},
               {NetErrc::AddressMalformed, ExitCode::Usage},
               {ResponseCode::TopicNotExist, ExitCode::NotFound},
               {ResponseCode::NoPermission, ExitCode::Refused},
               {ResponseCode::SystemError, ExitCode::Refused},
               {ResponseCode::RequestCodeNotSupported, ExitCode::Refused},
               {std::error_code(77, protocol::response_category()), ExitCode::Refused},
               {ClientErrc::NoNameServer, ExitCode::Usage},
               {ClientErrc::ClusterUnknown, ExitCode::NotFound},
               {ClientErrc::BrokerUnknown, ExitCode::NotFound},
               {ClientErrc::QueueUnknown, ExitCode::NotFound},
               {ClientErrc::NoQueue, ExitCode::Refused},
               {ClientErrc::AnswerMalformed, ExitCode::Refused}};
  for (const auto& c : cases) {
    CAPTURE(c.code.message());
    const Failure failure = explain({c.code, "10.0.0.1:1: why"}, "do it", {});
    CHECK(failure.exit == c.exit);
    CHECK_FALSE(failure.hint.empty());
    CHECK(failure.message.find("cannot do it: ") == 0);
    CHECK(failure.message.find("10.0.0.1:1: why") != std::string::npos);
  }
}

TEST_CASE("the remedy for a dead name server is another than for a dead broker") {
  CommonOptions options;
  options.namesrv = "1.1.1.1:9876;2.2.2.2:9876";
  const Failure name_server =
      explain({NetErrc::ConnectFailed, "2.2.2.2:9876: refused"}, "x", options);
  CHECK(name_server.hint.find("--namesrv") != std::string::npos);
  const Failure broker = explain({NetErrc::ConnectFailed, "3.3.3.3:10911: refused"}, "x", options);
  CHECK(broker.hint.find("broker") != std::string::npos);
}

TEST_CASE("reports: lines for people without control characters, JSON for programs") {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  const Error error{
      ResponseCode::TopicNotExist,
      "1.1.1.1:9876: no \x1b[31mroute\nSee https://rocketmq.apache.org/x for details."};
  const Failure failure = explain(error, "read 'T'", {});
  CHECK(report(failure, OutputFormat::Table, console) == ExitCode::NotFound);
  CHECK(out.str().empty());
  CHECK(err.str() ==
        "rmq: cannot read 'T': TOPIC_NOT_EXIST: 1.1.1.1:9876: no \\x1b[31mroute\n"
        "rmq: 'rmq topic list' shows all topics, 'rmq topic create NAME' makes one.\n");

  CHECK(report(failure, OutputFormat::Json, console) == ExitCode::NotFound);
  const auto parsed = json::parse(out.str());
  REQUIRE(parsed.has_value());
  const json::Value* value = parsed->find("error");
  REQUIRE(value != nullptr);
  CHECK(value->text_or("kind", "") == "not_found");
  CHECK(value->int_or("exit_code", 0) == 4);
  CHECK(value->text_or("code", "") == "TOPIC_NOT_EXIST");
  CHECK_FALSE(value->text_or("hint", "").empty());
}
