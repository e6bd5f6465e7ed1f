// Producer: sends messages, each to one queue, and tries another broker when the first will not
// take it. Threads: any; a send resumes on the thread that awaits it. Sends may run at the same
// time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "client/client.h"
#include "client/message.h"
#include "client/queue_selector.h"
#include "net/task.h"

namespace rmq::client {

struct ProducerOptions {
  std::string group = "DEFAULT_PRODUCER";
  int retries = 2;  // further attempts after the first, all within one send's time-out
  std::size_t compress_from_bytes = 4096;
  std::size_t body_bytes_max = std::size_t{4} * 1024 * 1024;
  std::int32_t new_topic_queues = 4;  // wanted, when the broker creates the topic
};

// All four mean: stored. The last three: but not (yet) as safely as the broker is configured to.
enum class SendStatus { Ok, FlushDiskTimeout, FlushSlaveTimeout, SlaveNotAvailable };
const char* send_status_name(SendStatus status);  // "SEND_OK", as Java calls them

struct SendResult {
  SendStatus status = SendStatus::Ok;
  std::string message_id;         // the unique key, what consumers see as its id
  std::string offset_message_id;  // where the broker put it
  MessageQueue queue;
  QueueOffset offset;
  std::string broker_address;
  int attempts = 1;
};

class Producer {
 public:
  // `client` must outlive the producer.
  Producer(Client& client, ProducerOptions options);

  // To a queue in turn. `timeout` covers everything.
  // Errors: ClientErrc::MessageInvalid, NoQueue; ResponseCode::TopicNotExist when no name server
  // knows the topic and no broker creates topics; otherwise what the last broker said, with its
  // address (advise_retry() says after which errors another was tried).
  net::Task<Result<SendResult>> send(Message message, std::chrono::milliseconds timeout);

  // To this queue, without a second attempt. Errors: ClientErrc::QueueUnknown, and as send().
  net::Task<Result<SendResult>> send_to(Message message, MessageQueue queue,
                                        std::chrono::milliseconds timeout);

  // The queues that a message to `topic` may be sent to, also when the topic is yet to be created
  // by the send.
  net::Task<Result<SharedRoute>> publish_route(std::string topic,
                                               std::chrono::milliseconds timeout);

 private:
  // A message ready for the wire, whichever queue it goes to.
  struct Prepared {
    std::string topic;
    std::string message_id;
    std::string properties;
    std::int32_t flag = 0;
    std::int32_t sys_flag = 0;
    std::int64_t born_timestamp_ms = 0;
    Bytes body;
  };
  Result<Prepared> prepare(Message message);
  protocol::Command make_send_request(const Prepared& message, const MessageQueue& queue) const;
  net::Task<Result<SendResult>> send_once(const Prepared& message, MessageQueue queue,
                                          std::string address, std::chrono::milliseconds timeout);

  Client& client_;
  const ProducerOptions options_;
  RoundRobin queues_;
  // Apart, so that a broker that is down does not change which queues first attempts go to.
  RoundRobin retry_queues_;
};

}  // namespace rmq::client
