#include "client/retry.h"

#include "client/client_errc.h"
#include "net/net_errc.h"
#include "protocol/response_codes.h"

namespace rmq::client {

using net::NetErrc;
using protocol::ResponseCode;

namespace {

bool is_net_error(const std::error_code& code) {
  return code.category() == make_error_code(NetErrc::TimedOut).category();
}

}  // namespace

RetryAdvice advise_retry(const Error& error) {
  const std::error_code& code = error.code;
  if (is_net_error(code)) {
    // Nobody listens there, or the time is used up: the same broker again would only lose time.
    if (code == NetErrc::ConnectionClosed) return RetryAdvice::AnyBroker;
    return RetryAdvice::OtherBroker;
  }
  if (code.category() != protocol::response_category()) return RetryAdvice::Fail;
  switch (static_cast<ResponseCode>(code.value())) {
    case ResponseCode::SystemBusy:
    case ResponseCode::GoAway:
      return RetryAdvice::AnyBroker;
    case ResponseCode::SystemError:
    case ResponseCode::ServiceNotAvailable:
    case ResponseCode::NoPermission:
    case ResponseCode::TopicNotExist:
    case ResponseCode::NoBuyerId:
    case ResponseCode::NotInCurrentUnit:
    case ResponseCode::NotLeaderForQueue:
      return RetryAdvice::OtherBroker;
    default:
      return RetryAdvice::Fail;
  }
}

bool may_pass(const Error& error) {
  if (is_net_error(error.code)) return error.code != NetErrc::AddressMalformed;
  return error.code == ResponseCode::SystemBusy || error.code == ResponseCode::GoAway ||
         error.code == ResponseCode::ServiceNotAvailable || error.code == ClientErrc::BrokerUnknown;
}

bool shows_silence(const Error& error) {
  return error.code == NetErrc::TimedOut || error.code == NetErrc::ConnectFailed ||
         error.code == NetErrc::NameNotResolved;
}

}  // namespace rmq::client
