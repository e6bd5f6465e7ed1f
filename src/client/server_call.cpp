#include "client/server_call.h"

#include <algorithm>

#include "client/topic_route.h"
#include "protocol/offset.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"

namespace rmq::client {

Error error_at(const std::string& address, Error error) {
  if (error.detail.find(address) == std::string::npos) {
    error.detail = error.detail.empty() ? address : address + ": " + error.detail;
  }
  return error;
}

Error refusal(const std::string& address, const protocol::Command& answer) {
  const std::error_code code(answer.code, protocol::response_category());
  return error_at(address, {code, answer.remark});
}

net::Task<Result<protocol::Command>> call_server(net::RpcClient& rpc, std::string address,
                                                 protocol::Command request,
                                                 std::chrono::milliseconds timeout) {
  Result<protocol::Command> answer = co_await rpc.call(address, std::move(request), timeout);
  if (!answer) co_return fail(error_at(address, std::move(answer.error())));
  co_return answer;
}

net::Task<Result<protocol::Command>> ask_server(net::RpcClient& rpc, std::string address,
                                                protocol::Command request,
                                                std::chrono::milliseconds timeout) {
  RMQ_CO_TRY(protocol::Command answer,
             co_await call_server(rpc, address, std::move(request), timeout));
  if (answer.code != 0) co_return fail(refusal(address, answer));
  co_return answer;
}

net::Task<bool> answers(net::RpcClient& rpc, std::string address,
                        std::chrono::milliseconds timeout) {
  protocol::GetMaxOffsetRequest header;
  header.topic = kAutoCreateTopic;
  protocol::Command request = make_request(protocol::RequestCode::GetMaxOffset, header);
  const Result<protocol::Command> answer =
      co_await rpc.call(std::move(address), std::move(request), timeout);
  co_return answer.has_value();
}

std::chrono::milliseconds time_left(SteadyTime deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

}  // namespace rmq::client
