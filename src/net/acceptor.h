// Acceptor: a listening port whose connections go to the threads that its owner chooses.
// Threads: the owner's, which is not an io thread; what it does itself is done on the control
// thread.
#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/connection.h"
#include "net/io_threads.h"

namespace rmq::net {

class Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  // Both are called on the control thread: for the thread of the next connection, and for each
  // connection; the socket belongs to `thread`.
  using Choose = std::function<IoThread&()>;
  using Take = std::function<void(IoThread& thread, Connection::Socket socket)>;

  Acceptor(IoThread& control, Choose choose, Take take);

  // Binds; connections wait in the kernel until start(). As RpcServer::listen().
  Result<> listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const { return port_; }
  void start();
  // Returns when no connection is taken any more. Also without listen().
  void stop();

 private:
  Result<> bind(const std::string& address, std::uint16_t port);
  void accept();
  void accept_later(std::error_code error);

  IoThread& control_;
  const Choose choose_;
  const Take take_;
  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
};

}  // namespace rmq::net
