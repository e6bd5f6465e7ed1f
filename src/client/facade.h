// What the parts of include/rmq/client.h share: the client that applications hold, and the way from
// their types to ours and back. Threads: the functions any.
#pragma once

#include <rmq/client.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "client/consumption.h"
#include "client/listener_pool.h"
#include "client/message.h"
#include "client/message_queue.h"
#include "client/send_request.h"
#include "net/await.h"
#include "net/io_threads.h"

namespace rmq::api {

class Client::Impl {
 public:
  Impl(const ClientOptions& options, std::vector<std::string> name_servers);
  ~Impl();

  client::Client& client() { return *client_; }
  // For callbacks of applications.
  client::ListenerPool& callbacks() { return callbacks_; }

  // Runs a task on the control thread and waits for it: not on an io thread.
  template <class T>
  T run(std::function<net::Task<T>()> start) {
    return net::run_blocking<T>(threads_.control(), std::move(start));
  }
  // The same for work without waiting.
  void on_control(const std::function<void()>& work);

 private:
  net::IoThreads threads_;
  client::ListenerPool callbacks_{1};
  std::unique_ptr<client::Client> client_;
};

Failure to_api(const Error& error);
Receipt to_api(const client::SendResult& sent);
Queue to_api(const client::MessageQueue& queue);
std::vector<Queue> to_api(const std::vector<client::MessageQueue>& queues);
std::vector<Received> to_api(const client::MessageBatch& batch);
client::Message from_api(Message message);
client::MessageQueue from_api(Queue queue);
std::vector<client::MessageQueue> from_api(std::vector<Queue> queues);

inline Outcome<Done> outcome(const Result<>& result) {
  if (!result) return to_api(result.error());
  return Done{};
}
inline Outcome<Receipt> outcome(const Result<client::SendResult>& result) {
  if (!result) return to_api(result.error());
  return to_api(*result);
}

}  // namespace rmq::api
