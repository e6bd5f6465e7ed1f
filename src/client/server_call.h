// One request to one server, with errors that name the server: "127.0.0.1:10911: topic[X] not
// exist".
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/rpc_client.h"
#include "protocol/command.h"
#include "protocol/header_fields.h"

namespace rmq::client {

// `address` is put before the detail unless the detail names it already.
Error error_at(const std::string& address, Error error);

// An answer whose code is not 0, as an error: its ResponseCode (or whatever number it has), its
// remark as the detail.
Error refusal(const std::string& address, const protocol::Command& answer);

// Sends and waits; any code counts as an answer. Errors: as RpcClient::call().
net::Task<Result<protocol::Command>> call_server(net::RpcClient& rpc, std::string address,
                                                 protocol::Command request,
                                                 std::chrono::milliseconds timeout);

// The same, but an answer whose code is not 0 is an error as well.
net::Task<Result<protocol::Command>> ask_server(net::RpcClient& rpc, std::string address,
                                                protocol::Command request,
                                                std::chrono::milliseconds timeout);

// Whether a broker says anything at all: it is asked for the end of a queue that any has or
// refuses.
net::Task<bool> answers(net::RpcClient& rpc, std::string address,
                        std::chrono::milliseconds timeout);

// What is left until `deadline`, at least 0.
std::chrono::milliseconds time_left(SteadyTime deadline);

}  // namespace rmq::client
