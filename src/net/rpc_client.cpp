#include "net/rpc_client.h"

#include <utility>

#include "base/mutex.h"
#include "base/string_map.h"
#include "net/await.h"
#include "net/connector.h"
#include "net/resolver.h"

namespace rmq::net {
class RpcClient::Impl {
 public:
  Impl(IoThreads& threads, Service* service) : threads_(threads), service_(service) {}

  // A connection that is open or being opened.
  struct Slot {
    Event opened;
    Result<std::shared_ptr<Connection>> connection = fail(NetErrc::ConnectionClosed);
    bool pending = true;
  };

  // The slot of `address`, and whether the caller must open it.
  std::pair<std::shared_ptr<Slot>, bool> slot(const std::string& address) {
    MutexLock lock(mutex_);
    std::shared_ptr<Slot>& slot = slots_[address];
    const bool usable =
        slot && (slot->pending || (slot->connection && !(*slot->connection)->closed()));
    if (usable) return {slot, false};
    slot = std::make_shared<Slot>();
    return {slot, true};
  }

  void finish(Slot& slot, Result<std::shared_ptr<Connection>> connection) {
    {
      MutexLock lock(mutex_);
      slot.connection = std::move(connection);
      slot.pending = false;
    }
    slot.opened.set();
  }

  Result<std::shared_ptr<Connection>> state(Slot& slot) {
    MutexLock lock(mutex_);
    return slot.connection;
  }

  static Task<Result<std::shared_ptr<Connection>>> open(std::shared_ptr<Impl> self,
                                                        std::string address, SteadyTime deadline) {
    RMQ_CO_TRY(const std::shared_ptr<Connecting> connecting,
               co_await connect_socket(self->resolver_, self->threads_.least_loaded(),
                                       std::move(address), deadline));
    auto connection = std::make_shared<Connection>(connecting->thread,
                                                   std::move(connecting->socket), self->service_);
    connection->start();
    co_return connection;
  }

  void close_all() {
    MutexLock lock(mutex_);
    for (auto& [address, slot] : slots_) {
      if (slot->connection) (*slot->connection)->close();
    }
    slots_.clear();
  }

 private:
  IoThreads& threads_;
  Service* const service_;
  Resolver resolver_;
  Mutex mutex_;
  StringMap<std::shared_ptr<Slot>> slots_ RMQ_GUARDED_BY(mutex_);
};

RpcClient::RpcClient(IoThreads& threads, Service* service)
    : impl_(std::make_shared<Impl>(threads, service)) {}

RpcClient::~RpcClient() { impl_->close_all(); }

Task<Result<std::shared_ptr<Connection>>> RpcClient::connection(std::string address,
                                                                std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  const std::shared_ptr<Impl> impl = impl_;
  const auto [slot, ours] = impl->slot(address);
  if (ours) {
    Result<std::shared_ptr<Connection>> opened = co_await Impl::open(impl, address, deadline);
    impl->finish(*slot, opened);
    co_return opened;
  }
  if (!co_await slot->opened.wait_until(deadline)) {
    co_return fail(NetErrc::TimedOut, "connecting to " + address);
  }
  co_return impl->state(*slot);
}

Task<Result<protocol::Command>> RpcClient::call(std::string address, protocol::Command request,
                                                std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const std::shared_ptr<Connection> to, co_await connection(address, timeout));
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  co_return co_await to->call(std::move(request), left);
}

Task<Result<>> RpcClient::send_oneway(std::string address, protocol::Command request,
                                      std::chrono::milliseconds timeout) {
  RMQ_CO_TRY(const std::shared_ptr<Connection> to,
             co_await connection(std::move(address), timeout));
  to->send_oneway(std::move(request));
  co_return Result<>{};
}

}  // namespace rmq::net
