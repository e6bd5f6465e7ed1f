// Session: one command's client, from the first request to the last answer.
// Threads: the command's own thread blocks in run(); the client's work is done on the io threads.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "cli/common_options.h"
#include "cli/progress.h"
#include "client/client.h"
#include "net/await.h"
#include "net/io_threads.h"
#include "net/task.h"

namespace rmq::cli {

class Session {
 public:
  // `console` must outlive it. Errors: NetErrc::AddressMalformed, ClientErrc::NoNameServer: nothing
  // is sent yet.
  static Result<std::unique_ptr<Session>> open(const CommonOptions& options, Console& console);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  client::Client& client() { return client_; }
  // The thread that run() runs on.
  net::IoThread& thread() { return threads_.control(); }

  // Runs start() and waits for its end, which a terminal is told when it takes long.
  template <class T>
  T run(std::function<net::Task<T>()> start) {
    const Progress progress(console_, "waiting for an answer");
    return run_quietly<T>(std::move(start));
  }
  // For what prints by itself while it runs.
  template <class T>
  T run_quietly(std::function<net::Task<T>()> start) {
    return net::run_blocking<T>(thread(), std::move(start));
  }

 private:
  Session(client::ClientOptions options, std::size_t io_threads, Console& console);

  Console& console_;
  net::IoThreads threads_;
  client::Client client_;
};

}  // namespace rmq::cli
