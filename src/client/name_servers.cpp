#include "client/name_servers.h"

#include "client/client_errc.h"
#include "client/server_call.h"
#include "net/endpoint.h"

namespace rmq::client {
namespace {

constexpr std::uint16_t kDefaultPort = 9876;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool has_port(std::string_view address) {
  const auto colon = address.rfind(':');
  const auto bracket = address.rfind(']');
  return colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
}

}  // namespace

Result<std::vector<std::string>> parse_server_addresses(std::string_view text,
                                                        std::uint16_t default_port) {
  std::vector<std::string> addresses;
  while (!text.empty()) {
    const auto end = text.find(';');
    const std::string_view part = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (part.empty()) continue;
    std::string address(part);
    if (!has_port(part)) address += ":" + std::to_string(default_port);
    RMQ_CHECK(net::split_address(address));
    addresses.push_back(std::move(address));
  }
  return addresses;
}

Result<std::vector<std::string>> parse_name_servers(std::string_view text) {
  RMQ_TRY(std::vector<std::string> addresses, parse_server_addresses(text, kDefaultPort));
  if (addresses.empty()) return fail(ClientErrc::NoNameServer);
  return addresses;
}

NameServers::NameServers(net::RpcClient& rpc, std::vector<std::string> addresses)
    : rpc_(rpc), addresses_(std::move(addresses)) {
  RMQ_ASSERT(!addresses_.empty());
}

net::Task<Result<NameServers::Answer>> NameServers::first_answer(
    protocol::Command request, std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const std::size_t count = addresses_.size();
  const std::size_t first = current_.load(std::memory_order_relaxed);
  Error failure;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = (first + i) % count;
    const auto share = time_left(deadline) / static_cast<int>(count - i);
    Result<protocol::Command> answer =
        co_await call_server(rpc_, addresses_[index], request, share);
    if (answer) {
      current_.store(index, std::memory_order_relaxed);
      Answer found{addresses_[index], std::move(*answer)};
      co_return found;
    }
    failure.code = answer.error().code;
    if (!failure.detail.empty()) failure.detail += "; ";
    failure.detail += answer.error().detail;
  }
  co_return fail(std::move(failure));
}

net::Task<Result<protocol::Command>> NameServers::call(protocol::Command request,
                                                       std::chrono::milliseconds timeout) {
  RMQ_CO_TRY(Answer answer, co_await first_answer(std::move(request), timeout));
  co_return std::move(answer.command);
}

net::Task<Result<protocol::Command>> NameServers::ask(protocol::Command request,
                                                      std::chrono::milliseconds timeout) {
  RMQ_CO_TRY(Answer answer, co_await first_answer(std::move(request), timeout));
  if (answer.command.code != 0) co_return fail(refusal(answer.address, answer.command));
  co_return std::move(answer.command);
}

}  // namespace rmq::client
