// HttpClient: POST requests to HTTP/1.1 servers, without TLS, over connections that are kept open.
// What an answer is, http_parser decides.
// Threads: everything on the io thread that it is made for, which ends before it does.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/byte_stream.h"
#include "net/io_threads.h"
#include "net/resolver.h"
#include "net/task.h"

namespace rmq::etcd {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  explicit HttpClient(net::IoThread& thread) : thread_(thread) {}

  // Posts JSON to "host:port". Errors: NetErrc::AddressMalformed, NameNotResolved and
  // ConnectFailed, and nothing was sent; NetErrc::TimedOut and ConnectionClosed, EtcdErrc::NotHttp,
  // and it may have been carried out. A kept connection that its server has closed is such an error
  // too: no request is sent twice.
  net::Task<Result<HttpAnswer>> post(std::string address, std::string path, std::string body,
                                     std::chrono::milliseconds timeout);

 private:
  using Stream = std::shared_ptr<net::ByteStream>;

  net::Task<Result<Stream>> stream_to(std::string address, std::chrono::milliseconds timeout);

  net::IoThread& thread_;
  net::Resolver resolver_;
  std::multimap<std::string, Stream> kept_;  // by address; nothing is under way on them
};

}  // namespace rmq::etcd
