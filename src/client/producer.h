// Producer: sends messages, each to one queue, and tries another broker when the first will not
// take it. A broker that does not answer is avoided from its first failure on (fault_latency.h).
// Threads: any; a send resumes on the thread that awaits it. Sends may run at the same time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "client/fault_latency.h"
#include "client/message.h"
#include "client/queue_selector.h"
#include "client/send_request.h"
#include "client/task_group.h"
#include "net/task.h"

namespace rmq::client {

struct ProducerOptions {
  std::string group = "DEFAULT_PRODUCER";
  int retries = 2;  // further attempts after the first, all within one send's time-out
  std::size_t compress_from_bytes = 4096;
  std::size_t body_bytes_max = std::size_t{4} * 1024 * 1024;
  std::int32_t new_topic_queues = 4;        // wanted, when the broker creates the topic
  bool avoid_faulty = true;                 // see FaultLatency
  std::size_t async_in_flight_max = 4'096;  // of send_async(); more are refused
};

class Producer {
 public:
  using Callback = std::function<void(Result<SendResult>)>;

  // `client` must outlive the producer.
  Producer(Client& client, ProducerOptions options);
  // Without start() it sends all the same, but no broker knows its group, and a broker that failed
  // is not probed: it is avoided until the end of its penalty.
  ~Producer();

  // Heartbeats, and probes of brokers that failed. Once, on the control thread.
  net::Task<> start();
  // Waits for what send_async() began, then unregisters. After start() it must be called before the
  // producer goes.
  net::Task<> shutdown();

  // To a queue in turn. `timeout` covers everything.
  // Errors: ClientErrc::MessageInvalid, NoQueue; ResponseCode::TopicNotExist when no name server
  // knows the topic and no broker creates topics; otherwise what the last broker said, with its
  // address (advise_retry() says after which errors another was tried).
  net::Task<Result<SendResult>> send(Message message, std::chrono::milliseconds timeout);

  // To this queue, without a second attempt. Errors: ClientErrc::QueueUnknown, and as send().
  net::Task<Result<SendResult>> send_to(Message message, MessageQueue queue,
                                        std::chrono::milliseconds timeout);
  // To the queue that `choose` picks, for example by_key_hash(), without a second attempt: another
  // queue would break the order. Errors: as send_to().
  net::Task<Result<SendResult>> send_by(Message message, QueueChooser choose,
                                        std::chrono::milliseconds timeout);
  // Several messages as one, to a queue in turn. Errors: as send().
  net::Task<Result<SendResult>> send_batch(std::vector<Message> messages,
                                           std::chrono::milliseconds timeout);
  // Without an answer: nobody learns whether it was stored. Errors: only what is known before the
  // write.
  net::Task<Result<>> send_oneway(Message message, std::chrono::milliseconds timeout);
  // send() for those who do not await: `done` is called once, on the control thread or, when the
  // message is refused at once (TooManyInFlight, ShutDown), on the caller's.
  void send_async(Message message, std::chrono::milliseconds timeout, Callback done);

  // The queues that a message to `topic` may be sent to, also when the topic is yet to be created
  // by the send.
  net::Task<Result<SharedRoute>> publish_route(std::string topic,
                                               std::chrono::milliseconds timeout);

 private:
  struct Attempts;
  net::Task<Result<SendResult>> send_prepared(std::shared_ptr<const PreparedSend> send,
                                              std::chrono::milliseconds timeout);
  net::Task<Result<SendResult>> send_once(const PreparedSend& send, MessageQueue queue,
                                          std::string address, std::chrono::milliseconds timeout);
  MessageQueue pick(const TopicRoute& route, const Attempts& attempts);
  net::Task<Result<SharedRoute>> route_again(const std::string& topic, SharedRoute old,
                                             SteadyTime deadline);
  net::Task<> probe_faulty();

  Client& client_;
  const ProducerOptions options_;
  const SendFormat format_;
  RoundRobin queues_;
  // Apart, so that a broker that is down does not change which queues first attempts go to.
  RoundRobin retry_queues_;
  FaultLatency faults_;
  TaskGroup tasks_;  // probes and asynchronous sends
  TaskGroup sends_;
  std::atomic<std::size_t> in_flight_{0};
  bool started_ = false;
};

}  // namespace rmq::client
