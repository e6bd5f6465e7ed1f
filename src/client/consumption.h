// Consumption: hands the messages of a push consumer's queues to its listener, on threads of their
// own, and does what the listener's answer asks for. Concurrent: any messages at the same time;
// what fails goes back to its broker, which gives it again after a while, or to the dead letter
// queue. Orderly: one call per queue at a time, in the queue's order; what fails is given again,
// before anything else of the queue. Threads: the consumer's own, but for the calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "client/group_consumer.h"
#include "client/listener_pool.h"

namespace rmq::client {

enum class Consumed {
  Done,
  Later  // again, after a while
};

struct ConsumeContext {
  MessageQueue queue;
  // The listener may set, with Later: concurrent, the delay level (0: the broker's choice, by how
  // often it failed; negative: to the dead letter queue); orderly, how long the queue waits.
  std::int32_t delay_level = 0;
  std::chrono::milliseconds suspend{1'000};
};

// Called by several threads at once. An exception means Later.
using Listener = std::function<Consumed(const MessageBatch&, ConsumeContext&)>;

struct ConsumptionOptions {
  bool orderly = false;
  std::size_t threads = 4;
  std::size_t batch_max = 1;  // messages of one call
  // Deliveries after the first, until the dead letter queue. Absent: 16; orderly: without end.
  std::optional<std::int32_t> reconsume_times_max;
  // When a message could not be sent back, it is consumed again here after this.
  std::chrono::milliseconds again_here{5'000};
};

class Consumption final : public QueueHandler {
 public:
  Consumption(ConsumptionOptions options, Listener listener);
  // Before anything else; `group` must outlive the last call.
  void attach(GroupConsumer& group) { group_ = &group; }

  void on_messages(const QueuePtr& queue) override;
  void on_server_request(protocol::Command request, net::Responder responder) override;
  // After the group's shutdown. Blocks up to `deadline`: not on an io thread. False when listeners
  // still run; what they answer is then heard by nobody, and the io threads may go.
  bool stop(SteadyTime deadline);

 private:
  struct Call;
  struct Gate;
  void begin(const QueuePtr& queue, std::vector<MessagePtr> messages);
  void finish(const std::shared_ptr<Call>& call);
  void end(const QueuePtr& queue);
  net::Task<> send_back_all(std::shared_ptr<Call> call);
  net::Task<> suspend(std::shared_ptr<Call> call);
  net::Task<bool> send_back_one(const Call& call, MessagePtr message, std::int32_t delay_level);
  void consume_directly(const protocol::Command& request, net::Responder responder);

  const ConsumptionOptions options_;
  const std::shared_ptr<const Listener> listener_;
  const std::shared_ptr<Gate> gate_;
  ListenerPool pool_;
  GroupConsumer* group_ = nullptr;
};

}  // namespace rmq::client
