#include "net/stream_server.h"

#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/acceptor.h"
#include "net/await.h"

namespace rmq::net {

class StreamServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(IoThreads& threads, Serve serve, std::chrono::milliseconds idle_max)
      : threads_(threads), serve_(std::move(serve)), idle_max_(idle_max) {}

  // As that of RpcServer.
  void make_acceptor() {
    acceptor_ = std::make_shared<Acceptor>(
        threads_.control(), [&threads = threads_]() -> IoThread& { return threads.streams(); },
        [weak = weak_from_this()](IoThread& thread, Connection::Socket socket) {
          if (const auto self = weak.lock()) self->take(thread, std::move(socket));
        });
  }
  Acceptor& acceptor() { return *acceptor_; }

  void close_streams() {
    MutexLock lock(mutex_);
    for (const auto& weak : streams_) {
      if (const auto stream = weak.lock()) stream->close();
    }
  }

 private:
  // On the control thread.
  void take(IoThread& thread, Connection::Socket socket) {
    auto stream = std::make_shared<ByteStream>(thread, std::move(socket), idle_max_);
    {
      MutexLock lock(mutex_);
      std::erase_if(streams_, [](const auto& weak) { return weak.expired(); });
      streams_.push_back(stream);
    }
    stream->start();
    std::function<Task<>()> run = [serve = serve_, stream]() -> Task<> {
      co_await serve(stream);
      stream->close();
    };
    spawn(thread, "stream", std::move(run));
  }

  IoThreads& threads_;
  const Serve serve_;
  const std::chrono::milliseconds idle_max_;
  std::shared_ptr<Acceptor> acceptor_;
  Mutex mutex_;
  std::vector<std::weak_ptr<ByteStream>> streams_ RMQ_GUARDED_BY(mutex_);
};

StreamServer::StreamServer(IoThreads& threads, Serve serve, std::chrono::milliseconds idle_max)
    : impl_(std::make_shared<Impl>(threads, std::move(serve), idle_max)) {
  impl_->make_acceptor();
}
StreamServer::~StreamServer() = default;

Result<> StreamServer::listen(const std::string& address, std::uint16_t port) {
  return impl_->acceptor().listen(address, port);
}
std::uint16_t StreamServer::port() const { return impl_->acceptor().port(); }
void StreamServer::start_accepting() { impl_->acceptor().start(); }
void StreamServer::stop() {
  impl_->acceptor().stop();
  impl_->close_streams();
}

}  // namespace rmq::net
