#include <doctest/doctest.h>

#include <ostream>
#include <set>
#include <string>

#include "base/result.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"

using rmq::protocol::request_name;
using rmq::protocol::RequestCode;
using rmq::protocol::response_name;
using rmq::protocol::ResponseCode;

namespace {

// SEND_MESSAGE_V2 -> SendMessageV2
std::string pascal_case(std::string_view constant) {
  std::string name;
  bool upper = true;
  for (const char c : constant) {
    if (c == '_') {
      upper = true;
    } else {
      name += upper || c < 'A' ? c : static_cast<char>(c - 'A' + 'a');
      upper = false;
    }
  }
  return name;
}

struct Row {
  std::int32_t code;
  std::string_view name;
  std::string_view constant;
};

constexpr Row kRequests[] = {
#define RMQ_REQUEST(code, CodeName, JAVA_CONSTANT) {code, #CodeName, #JAVA_CONSTANT},
#include "protocol/request_codes.def"
#undef RMQ_REQUEST
};
constexpr Row kResponses[] = {
#define RMQ_RESPONSE(code, CodeName, JAVA_CONSTANT) {code, #CodeName, #JAVA_CONSTANT},
#include "protocol/response_codes.def"
#undef RMQ_RESPONSE
};

}  // namespace

TEST_CASE("request codes: all of RequestCode.java, each once, in order, named by the rule") {
  CHECK(std::size(kRequests) == 153);
  std::int32_t last = -1;
  for (const Row& row : kRequests) {
    CAPTURE(row.constant);
    CHECK(row.code > last);
    CHECK(row.name == pascal_case(row.constant));
    CHECK(request_name(row.code) == row.constant);
    last = row.code;
  }
  CHECK(request_name(RequestCode::SendMessageV2) == "SEND_MESSAGE_V2");
  CHECK(static_cast<int>(RequestCode::PopMessage) == 200050);
  CHECK(request_name(16).empty());
  CHECK(request_name(-1).empty());
}

TEST_CASE("response codes: each once, in order, named by the rule") {
  CHECK(std::size(kResponses) == 66);
  std::int32_t last = -2000;
  for (const Row& row : kResponses) {
    CAPTURE(row.constant);
    CHECK(row.code > last);
    CHECK(row.name == pascal_case(row.constant));
    CHECK(response_name(row.code) == row.constant);
    last = row.code;
  }
  CHECK(static_cast<int>(ResponseCode::Success) == 0);
  CHECK(response_name(9).empty());
}

TEST_CASE("response codes are error codes") {
  const rmq::Error error{ResponseCode::TopicNotExist, "topic[X] not exist"};
  CHECK(error.code == ResponseCode::TopicNotExist);
  CHECK(error.code != ResponseCode::SystemError);
  CHECK(error.code.value() == 17);
  CHECK(std::string(error.code.category().name()) == "response");
  CHECK(error.message() == "TOPIC_NOT_EXIST: topic[X] not exist");
  CHECK(rmq::protocol::response_category().message(77) == "response code 77");
  const rmq::Result<> failed = rmq::fail(ResponseCode::RpcTimeOut);
  CHECK(failed.error().code.value() == -1006);
}
