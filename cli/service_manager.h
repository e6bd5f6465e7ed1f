// ServiceManager: tells systemd, or what else has started this process and asks for it, how the
// start gets on: the protocol of sd_notify(3), a datagram of "NAME=value" lines to the Unix socket
// that the environment variable NOTIFY_SOCKET names. Without that it says nothing.
// Threads: one. Errors: nobody listens; that is none of ours.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace rmq::cli {

class ServiceManager {
 public:
  static ServiceManager from_environment();
  // `socket`: a path, or '@' and an abstract name; empty for none.
  explicit ServiceManager(std::string socket) : socket_(std::move(socket)) {}

  // Not ready yet, and alive: the time limit of a start begins anew.
  void starting(std::string_view status) const;
  void ready() const;
  void stopping() const;

 private:
  void send(std::string_view lines) const;

  const std::string socket_;
};

}  // namespace rmq::cli
