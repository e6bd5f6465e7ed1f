// Endpoint from what Asio says of a socket.
#pragma once

#include <asio/ip/tcp.hpp>

#include "net/endpoint.h"

namespace rmq::net {

Endpoint to_endpoint(const asio::ip::tcp::endpoint& from);

}  // namespace rmq::net
