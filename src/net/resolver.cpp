#include "net/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <sys/select.h>

#include <array>
#include <asio/ip/address.hpp>
#include <deque>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "net/await.h"

namespace rmq::net {
namespace {

struct Lookup {
  std::string host;
  Event done;
  Result<std::string> result = fail(NetErrc::NameNotResolved);
};

std::string numeric(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* ip =
      address->sa_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr)
          : &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  const char* written = inet_ntop(address->sa_family, ip, text.data(), text.size());
  return written == nullptr ? std::string() : std::string(written);
}

void on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* answer) {
  auto& result = *static_cast<Result<std::string>*>(argument);
  if (status != ARES_SUCCESS || answer == nullptr) {
    result = fail(NetErrc::NameNotResolved, ares_strerror(status));
    return;
  }
  std::string first;
  for (const ares_addrinfo_node* node = answer->nodes; node != nullptr; node = node->ai_next) {
    const std::string text = numeric(node->ai_addr);
    if (text.empty()) continue;
    if (first.empty()) first = text;
    if (node->ai_family == AF_INET) {
      first = text;
      break;
    }
  }
  ares_freeaddrinfo(answer);
  if (!first.empty()) result = first;
}

// Blocks until c-ares has an answer; its own time-outs (some seconds) bound that.
Result<std::string> look_up(const std::string& host) {
  ares_channel channel = nullptr;
  ares_options options{};
  options.timeout = 2000;
  options.tries = 2;
  const int started = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (started != ARES_SUCCESS) return fail(NetErrc::NameNotResolved, ares_strerror(started));
  Result<std::string> result = fail(NetErrc::NameNotResolved);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, on_answer, &result);
  for (;;) {
    fd_set readable;
    fd_set writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    const int count = ares_fds(channel, &readable, &writable);
    if (count == 0) break;
    timeval wait{};
    timeval* bounded = ares_timeout(channel, nullptr, &wait);
    select(count, &readable, &writable, nullptr, bounded);
    ares_process(channel, &readable, &writable);
  }
  ares_destroy(channel);
  return result;
}

}  // namespace

class Resolver::Impl {
 public:
  ~Impl() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void add(std::shared_ptr<Lookup> lookup) {
    MutexLock lock(mutex_);
    queue_.push_back(std::move(lookup));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    wake_.notify_one();
  }

 private:
  void run() {
    ares_library_init(ARES_LIB_INIT_ALL);
    while (const std::shared_ptr<Lookup> lookup = next()) {
      lookup->result = look_up(lookup->host);
      lookup->done.set();
    }
    ares_library_cleanup();
  }

  std::shared_ptr<Lookup> next() {
    MutexLock lock(mutex_);
    while (queue_.empty() && !stopping_) wake_.wait(mutex_);
    if (stopping_) return nullptr;
    std::shared_ptr<Lookup> lookup = std::move(queue_.front());
    queue_.pop_front();
    return lookup;
  }

  Mutex mutex_;
  Condition wake_;
  std::deque<std::shared_ptr<Lookup>> queue_ RMQ_GUARDED_BY(mutex_);
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

Resolver::Resolver() : impl_(std::make_shared<Impl>()) {}
Resolver::~Resolver() = default;

Task<Result<std::string>> Resolver::resolve(std::string host, std::chrono::milliseconds timeout) {
  std::error_code not_numeric;
  const auto address = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) co_return address.to_string();
  const std::shared_ptr<Impl> impl = impl_;
  const auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  impl->add(lookup);
  if (!co_await lookup->done.wait_until(std::chrono::steady_clock::now() + timeout)) {
    co_return fail(NetErrc::TimedOut, "resolving " + host);
  }
  if (!lookup->result)
    co_return fail(lookup->result.error().code, host + ": " + lookup->result.error().detail);
  co_return lookup->result.value();
}

}  // namespace rmq::net
