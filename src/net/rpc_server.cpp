#include "net/rpc_server.h"

#include <algorithm>
#include <asio/error.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "net/await.h"
#include "net/connection.h"
#include "net/net_limits.h"

namespace rmq::net {

class RpcServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(IoThreads& threads, Service& service)
      : threads_(threads), service_(service), acceptor_(threads.control().context()) {}

  Result<> listen(const std::string& address, std::uint16_t port) {
    std::error_code error;
    const asio::ip::address ip = asio::ip::make_address(address, error);
    if (error)
      return fail(NetErrc::AddressMalformed, "'" + address + "' is not a numeric IP address");
    const asio::ip::tcp::endpoint endpoint(ip, port);
    const std::string where = address + ":" + std::to_string(port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(kListenBacklog, error);
    if (error) {
      std::error_code ignored;
      acceptor_.close(ignored);
    }
    if (error == asio::error::address_in_use) return fail(NetErrc::AddressInUse, where);
    if (error) return fail(error, "listening on " + where);
    port_ = acceptor_.local_endpoint(error).port();
    return {};
  }

  std::uint16_t port() const { return port_; }

  void start_accepting() {
    threads_.control().post([self = shared_from_this()] { self->accept(); });
  }

  void stop_accepting() {
    run_on_control([](Impl& self) {
      std::error_code ignored;
      self.acceptor_.close(ignored);
    });
  }

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
  // Runs `work` on the control thread and waits for it; at once when that thread does not run.
  void run_on_control(void (*work)(Impl&)) {
    const auto self = shared_from_this();
    std::function<Task<>()> run = [self, work]() -> Task<> {
      work(*self);
      co_return;
    };
    run_blocking<void>(threads_.control(), std::move(run));
  }

  void accept() {
    if (!acceptor_.is_open()) return;
    IoThread& thread = threads_.least_loaded();
    const auto socket = std::make_shared<Connection::Socket>(thread.context());
    acceptor_.async_accept(*socket,
                           [self = shared_from_this(), &thread, socket](std::error_code error) {
                             if (!self->acceptor_.is_open()) return;
                             if (error) return self->accept_later(error);
                             self->take(thread, std::move(*socket));
                             self->accept();
                           });
  }

  // Out of descriptors, most likely: the backlog waits, connections that end make room.
  void accept_later(std::error_code error) {
    log::warn("net", "cannot accept connections, trying again", kv("port", port_),
              kv("why", error.message()));
    auto timer = std::make_shared<asio::steady_timer>(threads_.control().context(),
                                                      std::chrono::milliseconds(100));
    timer->async_wait([self = shared_from_this(), timer](std::error_code) { self->accept(); });
  }

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
  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  Mutex mutex_;
  std::vector<std::weak_ptr<Connection>> connections_ RMQ_GUARDED_BY(mutex_);
  std::size_t purge_at_ RMQ_GUARDED_BY(mutex_) = 64;
};

RpcServer::RpcServer(IoThreads& threads, Service& service)
    : impl_(std::make_shared<Impl>(threads, service)) {}
RpcServer::~RpcServer() = default;

Result<> RpcServer::listen(const std::string& address, std::uint16_t port) {
  return impl_->listen(address, port);
}
std::uint16_t RpcServer::port() const { return impl_->port(); }
void RpcServer::start_accepting() { impl_->start_accepting(); }
void RpcServer::stop_accepting() { impl_->stop_accepting(); }
void RpcServer::close_connections(std::chrono::milliseconds patience) {
  impl_->close_connections(patience);
}

}  // namespace rmq::net
