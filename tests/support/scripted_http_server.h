// ScriptedHttpServer: a port on 127.0.0.1 that answers each request with the next of the given
// texts, byte for byte. It closes the connection behind an answer that says so and behind one of
// HTTP/1.0, and instead of an empty one or one behind the last.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <charconv>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/stream_server.h"

namespace rmq::test {

class ScriptedHttpServer {
 public:
  explicit ScriptedHttpServer(std::deque<std::string> answers) : answers_(std::move(answers)) {
    REQUIRE(server_.listen("127.0.0.1", 0));
    threads_.start();
    server_.start_accepting();
  }
  ~ScriptedHttpServer() {
    server_.stop();
    threads_.stop();
  }
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  // Head and body of each, in order.
  std::vector<std::string> requests() {
    MutexLock lock(mutex_);
    return requests_;
  }
  int connections() {
    MutexLock lock(mutex_);
    return connections_;
  }

 private:
  net::Task<> serve(std::shared_ptr<net::ByteStream> stream) {
    {
      MutexLock lock(mutex_);
      ++connections_;
    }
    for (;;) {
      std::string request;
      const bool came = co_await read_request(*stream, request);
      if (!came) co_return;
      const std::string answer = next_answer(std::move(request));
      if (answer.empty()) co_return;
      const std::array parts{as_bytes(answer)};
      const Result<> written = co_await stream->write(parts);
      const bool last =
          answer.find("Connection: close") != std::string::npos || answer.starts_with("HTTP/1.0");
      if (!written || last) co_return;
    }
  }

  std::string next_answer(std::string request) {
    MutexLock lock(mutex_);
    requests_.push_back(std::move(request));
    if (answers_.empty()) return {};
    std::string answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

  static net::Task<bool> read_request(net::ByteStream& stream, std::string& request) {
    std::size_t size = std::string::npos;
    while (request.size() < size) {
      std::array<std::byte, 4096> buffer{};
      const Result<std::size_t> count = co_await stream.read_some(buffer);
      if (!count) co_return false;
      request += as_text(ByteView(buffer).first(*count));
      const std::size_t end = request.find("\r\n\r\n");
      if (end == std::string::npos || size != std::string::npos) continue;
      static constexpr std::string_view kLength = "Content-Length: ";
      const char* digits = request.data() + request.find(kLength) + kLength.size();
      std::size_t body = 0;
      std::from_chars(digits, request.data() + end, body);
      size = end + 4 + body;
    }
    co_return true;
  }

  Mutex mutex_;
  std::deque<std::string> answers_ RMQ_GUARDED_BY(mutex_);
  std::vector<std::string> requests_ RMQ_GUARDED_BY(mutex_);
  int connections_ RMQ_GUARDED_BY(mutex_) = 0;
  net::IoThreads threads_{1};
  net::StreamServer server_{
      threads_,
      [this](std::shared_ptr<net::ByteStream> stream) { return serve(std::move(stream)); },
      std::chrono::seconds(60)};
};

}  // namespace rmq::test
