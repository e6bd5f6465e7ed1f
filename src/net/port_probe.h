// Whether a process still listens on a port, as far as one connect can tell.
// Threads: any io thread.
#pragma once

#include <chrono>
#include <string>

#include "net/task.h"

namespace rmq::net {

class IoThread;
class Resolver;

// Connects to `address` ("host:port") once, on `thread`. True only when that machine answered that
// nobody listens there: no answer within `patience`, no such name and no route prove nothing.
Task<bool> port_refuses(Resolver& resolver, IoThread& thread, std::string address,
                        std::chrono::milliseconds patience);

}  // namespace rmq::net
