#include "client/retry.h"

#include <doctest/doctest.h>
#include <ostream>

#include <map>

#include "client/client_errc.h"
#include "net/net_errc.h"
#include "protocol/response_codes.h"

using namespace rmq;
using namespace rmq::client;
using net::NetErrc;
using protocol::ResponseCode;

TEST_CASE("producers retry the codes that Java's producer retries, and a queue that moved") {
  const std::map<int, RetryAdvice> retried{
      {1, RetryAdvice::OtherBroker},   {2, RetryAdvice::AnyBroker},
      {14, RetryAdvice::OtherBroker},  {16, RetryAdvice::OtherBroker},
      {17, RetryAdvice::OtherBroker},  {204, RetryAdvice::OtherBroker},
      {205, RetryAdvice::OtherBroker}, {501, RetryAdvice::OtherBroker},
      {1500, RetryAdvice::AnyBroker}};
  for (int code = -10; code <= 4000; ++code) {
    const auto expected = retried.find(code);
    const Error error{{code, protocol::response_category()}, {}};
    CAPTURE(code);
    CHECK(advise_retry(error) ==
          (expected == retried.end() ? RetryAdvice::Fail : expected->second));
  }
}

TEST_CASE("producers go to another broker when one cannot be reached") {
  CHECK(advise_retry({NetErrc::TimedOut, {}}) == RetryAdvice::OtherBroker);
  CHECK(advise_retry({NetErrc::ConnectFailed, {}}) == RetryAdvice::OtherBroker);
  CHECK(advise_retry({NetErrc::NameNotResolved, {}}) == RetryAdvice::OtherBroker);
  CHECK(advise_retry({NetErrc::ConnectionClosed, {}}) == RetryAdvice::AnyBroker);
  CHECK(advise_retry({ClientErrc::MessageInvalid, {}}) == RetryAdvice::Fail);
  // Equal numbers of other categories mean other things.
  CHECK(advise_retry({std::error_code(2, std::generic_category()), {}}) == RetryAdvice::Fail);
}

TEST_CASE("consumers wait for what may pass") {
  CHECK(may_pass({NetErrc::TimedOut, {}}));
  CHECK(may_pass({NetErrc::ConnectFailed, {}}));
  CHECK(may_pass({ResponseCode::SystemBusy, {}}));
  CHECK(may_pass({ResponseCode::GoAway, {}}));
  CHECK(may_pass({ClientErrc::BrokerUnknown, {}}));
  CHECK_FALSE(may_pass({NetErrc::AddressMalformed, {}}));
  CHECK_FALSE(may_pass({ResponseCode::TopicNotExist, {}}));
  CHECK_FALSE(may_pass({ResponseCode::NoPermission, {}}));
  CHECK_FALSE(may_pass({ClientErrc::AnswerMalformed, {}}));
}
