#include "etcd/http_client.h"

#include <http_parser.h>

#include <array>
#include <cstddef>
#include <functional>
#include <utility>

#include "etcd/etcd_errc.h"
#include "net/await.h"
#include "net/net_errc.h"

namespace rmq::etcd {
namespace {

using net::ByteStream;
using net::NetErrc;

constexpr std::size_t kBodyMax = std::size_t{64} << 20;
constexpr std::size_t kReadSize = 16384;

// One answer while it is read.
struct Reading {
  Reading() {
    http_parser_init(&parser, HTTP_RESPONSE);
    parser.data = this;
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  http_parser parser{};
  HttpAnswer answer;
  bool whole = false;
  bool keep = false;  // the connection is good for more
};

Reading& reading_of(http_parser* parser) { return *static_cast<Reading*>(parser->data); }

int on_body(http_parser* parser, const char* at, std::size_t length) {
  std::string& body = reading_of(parser).answer.body;
  if (body.size() + length > kBodyMax) return 1;
  body.append(at, length);
  return 0;
}

int on_message_complete(http_parser* parser) {
  Reading& reading = reading_of(parser);
  reading.answer.status = static_cast<int>(parser->status_code);
  reading.whole = true;
  reading.keep = http_should_keep_alive(parser) != 0;
  return 0;
}

http_parser_settings callbacks() {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_body = on_body;
  settings.on_message_complete = on_message_complete;
  return settings;
}

// Takes what came; nothing came: the connection has ended, which is how some answers end.
Result<> take(Reading& reading, std::string_view text) {
  static const http_parser_settings kCallbacks = callbacks();
  const std::size_t used =
      http_parser_execute(&reading.parser, &kCallbacks, text.data(), text.size());
  if (HTTP_PARSER_ERRNO(&reading.parser) != HPE_OK || used != text.size()) {
    return fail(EtcdErrc::NotHttp, http_errno_description(HTTP_PARSER_ERRNO(&reading.parser)));
  }
  return {};
}

net::Task<Result<>> exchange(std::shared_ptr<ByteStream> stream, std::string request,
                             Reading& reading) {
  const std::array parts{as_bytes(request)};
  RMQ_CO_CHECK(co_await stream->write(parts));
  Bytes buffer(kReadSize);
  while (!reading.whole) {
    const Result<std::size_t> count = co_await stream->read_some(buffer);
    const std::size_t size = count ? *count : 0;
    RMQ_CO_CHECK(take(reading, as_text(ByteView(buffer).first(size))));
    if (!count && !reading.whole) co_return fail(count.error());
  }
  co_return Result<>{};
}

// Closes the stream, unless `done` comes before `deadline`.
net::Task<> limit(net::Event done, std::shared_ptr<ByteStream> stream, SteadyTime deadline) {
  const bool in_time = co_await done.wait_until(deadline);
  if (!in_time) stream->close();
}

}  // namespace

net::Task<Result<HttpClient::Stream>> HttpClient::stream_to(std::string address,
                                                            std::chrono::milliseconds timeout) {
  const auto kept = kept_.find(address);
  if (kept != kept_.end()) {
    Stream stream = std::move(kept->second);
    kept_.erase(kept);
    co_return stream;
  }
  // Its idle time is never started: limit() is what ends a silent exchange.
  Result<Stream> connected =
      co_await ByteStream::connect(thread_, resolver_, address, timeout, timeout);
  co_return connected;
}

net::Task<Result<HttpAnswer>> HttpClient::post(std::string address, std::string path,
                                               std::string body,
                                               std::chrono::milliseconds timeout) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  RMQ_CO_TRY(const Stream stream, co_await stream_to(address, timeout));
  net::Event done;
  std::function<net::Task<>()> watch = [done, stream, deadline] {
    return limit(done, stream, deadline);
  };
  net::spawn(thread_, "HTTP deadline", std::move(watch));
  std::string request =
      "POST " + path + " HTTP/1.1\r\nHost: " + address +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  Reading reading;
  const Result<> exchanged = co_await exchange(stream, std::move(request), reading);
  done.set();
  if (!exchanged) {
    stream->close();
    kept_.erase(address);  // the others are as old
    const bool late = std::chrono::steady_clock::now() >= deadline;
    if (late) co_return fail(NetErrc::TimedOut, address);
    co_return fail(exchanged.error().code, address + ": " + exchanged.error().detail);
  }
  if (reading.keep) {
    kept_.emplace(address, stream);
  } else {
    stream->close();
  }
  co_return std::move(reading.answer);
}

}  // namespace rmq::etcd
