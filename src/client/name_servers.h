// NameServers: any one of several name servers. They are independent of each other and know the
// same, so a request goes to the one that answered last, and to the next when that one is silent.
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/rpc_client.h"
#include "protocol/command.h"

namespace rmq::client {

// "host:port;host:port", as Java writes it; blanks and empty parts are dropped, a part without port
// gets `default_port`. Error: NetErrc::AddressMalformed.
Result<std::vector<std::string>> parse_server_addresses(std::string_view text,
                                                        std::uint16_t default_port);
// The same of name servers, with 9876. Error: ClientErrc::NoNameServer when nothing is left, too.
Result<std::vector<std::string>> parse_name_servers(std::string_view text);

class NameServers {
 public:
  // `rpc` must outlive this object. At least one address.
  NameServers(net::RpcClient& rpc, std::vector<std::string> addresses);

  // The answer of the first that gives one, code 0 or not; each server has its share of `timeout`,
  // so that a silent one leaves time for the others. Errors: NetErrc, with what happened at each
  // address.
  net::Task<Result<protocol::Command>> call(protocol::Command request,
                                            std::chrono::milliseconds timeout);
  // The same, but a code other than 0 is an error: it has that ResponseCode, its detail names the
  // server.
  net::Task<Result<protocol::Command>> ask(protocol::Command request,
                                           std::chrono::milliseconds timeout);

  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  struct Answer {
    std::string address;
    protocol::Command command;
  };
  net::Task<Result<Answer>> first_answer(protocol::Command request,
                                         std::chrono::milliseconds timeout);

  net::RpcClient& rpc_;
  const std::vector<std::string> addresses_;
  std::atomic<std::size_t> current_{0};  // index of the one that answered last
};

}  // namespace rmq::client
