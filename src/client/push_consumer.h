// PushConsumer: calls a listener with the messages of the topics that its group subscribed to. The
// members of a clustering group share the queues, in other processes and languages too; each member
// of a broadcasting group gets all. A message is delivered at least once. Threads: all on the io
// threads' control thread, but join(); the listener on threads of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "client/client.h"
#include "client/consumption.h"
#include "client/group_consumer.h"
#include "net/task.h"

namespace rmq::client {

struct PushConsumerOptions {
  GroupOptions group;  // `type` and `orderly` are set by this class
  ConsumptionOptions consumption;
  // How long shutdown() waits for listeners that have messages.
  std::chrono::milliseconds patience{10'000};
};

class PushConsumer {
 public:
  // `client` must outlive it.
  PushConsumer(Client& client, PushConsumerOptions options, Listener listener);
  // After shutdown(), if it was started.
  ~PushConsumer();

  // Messages of `topic` with one of the tags: "a || b", or "*" for all. "SQL92" expressions are the
  // brokers' to judge. Before start() on any thread, then on the control thread. Errors:
  // ProtocolErrc::FieldMalformed.
  Result<> subscribe(std::string topic, std::string expression = "*",
                     std::string expression_type = "TAG");
  void unsubscribe(const std::string& topic);
  // Returns when it reads its queues, or would if there were any. Once. Errors:
  // ClientErrc::GroupInUse: this client has a consumer of the group.
  net::Task<Result<>> start();
  // Ends its pulls, waits for listeners, commits, unlocks and leaves the group.
  net::Task<> shutdown();
  // After shutdown(), on no io thread: waits for the threads of listeners, as long as `patience`.
  // False when some are still busy.
  bool join();

  // The queues that it reads now; on the control thread.
  std::vector<MessageQueue> queues() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace rmq::client
