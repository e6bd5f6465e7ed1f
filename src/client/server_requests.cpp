#include "client/server_requests.h"

#include <utility>

#include "net/connection.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

bool is_served(std::int32_t code) {
  switch (static_cast<RequestCode>(code)) {
    case RequestCode::NotifyConsumerIdsChanged:
    case RequestCode::ResetConsumerClientOffset:
    case RequestCode::GetConsumerStatusFromClient:
    case RequestCode::GetConsumerRunningInfo:
    case RequestCode::ConsumeMessageDirectly:
      return true;
    default:
      return false;
  }
}

net::Response refusal_of(ResponseCode code, std::string remark) {
  net::Response response;
  response.code = static_cast<std::int32_t>(code);
  response.remark = std::move(remark);
  return response;
}

}  // namespace

void ServerRequests::serve(const std::string& group, Handler handler) {
  auto shared = std::make_shared<const Handler>(std::move(handler));
  MutexLock lock(mutex_);
  handlers_[group] = std::move(shared);
}

void ServerRequests::forget(const std::string& group) {
  MutexLock lock(mutex_);
  handlers_.erase(group);
}

void ServerRequests::on_request(net::ReadTurn& turn, const protocol::CommandView& command) {
  net::Responder responder(turn.connection.shared_from_this(), command);
  if (!is_served(command.code)) {
    return responder.answer(
        refusal_of(ResponseCode::RequestCodeNotSupported,
                   "request type " + std::to_string(command.code) + " not supported"));
  }
  // 220 and 221 call it by the second name.
  const auto named = command.find("consumerGroup");
  const std::string_view group =
      named ? *named : command.find("group").value_or(std::string_view{});
  std::shared_ptr<const Handler> handler;
  {
    MutexLock lock(mutex_);
    const auto found = handlers_.find(group);
    if (found != handlers_.end()) handler = found->second;
  }
  if (!handler) {
    return responder.answer(
        refusal_of(ResponseCode::SystemError,
                   "no consumer of group '" + std::string(group) + "' in this client"));
  }
  (*handler)(protocol::Command(command), std::move(responder));
}

}  // namespace rmq::client
