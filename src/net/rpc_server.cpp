#include "net/rpc_server.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/acceptor.h"
#include "net/connection.h"

namespace rmq::net {

class RpcServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(IoThreads& threads, Service& service) : threads_(threads), service_(service) {}

  // Apart from construction, because it refers to this object weakly.
  void make_acceptor() {
    acceptor_ = std::make_shared<Acceptor>(
        threads_.control(), [&threads = threads_]() -> IoThread& { return threads.least_loaded(); },
        [weak = weak_from_this()](IoThread& thread, Connection::Socket socket) {
          if (const auto self = weak.lock()) self->take(thread, std::move(socket));
        });
  }
  Acceptor& acceptor() { return *acceptor_; }

  void close_connections(std::chrono::milliseconds patience) {
    const std::vector<std::shared_ptr<Connection>> alive = connections();
    for (const auto& connection : alive) connection->drain();
    const SteadyTime deadline = std::chrono::steady_clock::now() + patience;
    for (const auto& connection : alive) {
      const auto open = [&] { return !connection->gone(); };
      while (open() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (open()) connection->close();
    }
  }

 private:
  void take(IoThread& thread, Connection::Socket socket) {
    auto connection = std::make_shared<Connection>(thread, std::move(socket), &service_);
    {
      MutexLock lock(mutex_);
      if (connections_.size() >= purge_at_) {
        std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
        purge_at_ = std::max<std::size_t>(64, 2 * connections_.size());
      }
      connections_.push_back(connection);
    }
    connection->start();
  }

  std::vector<std::shared_ptr<Connection>> connections() {
    MutexLock lock(mutex_);
    std::vector<std::shared_ptr<Connection>> alive;
    for (const auto& weak : connections_) {
      if (auto connection = weak.lock()) alive.push_back(std::move(connection));
    }
    return alive;
  }

  IoThreads& threads_;
  Service& service_;
  std::shared_ptr<Acceptor> acceptor_;
  Mutex mutex_;
  std::vector<std::weak_ptr<Connection>> connections_ RMQ_GUARDED_BY(mutex_);
  std::size_t purge_at_ RMQ_GUARDED_BY(mutex_) = 64;
};

RpcServer::RpcServer(IoThreads& threads, Service& service)
    : impl_(std::make_shared<Impl>(threads, service)) {
  impl_->make_acceptor();
}
RpcServer::~RpcServer() = default;

Result<> RpcServer::listen(const std::string& address, std::uint16_t port) {
  return impl_->acceptor().listen(address, port);
}
std::uint16_t RpcServer::port() const { return impl_->acceptor().port(); }
void RpcServer::start_accepting() { impl_->acceptor().start(); }
void RpcServer::stop_accepting() { impl_->acceptor().stop(); }
void RpcServer::close_connections(std::chrono::milliseconds patience) {
  impl_->close_connections(patience);
}

}  // namespace rmq::net
