// The C++ client of rmq and RocketMQ, for applications: calls that block, callbacks, and nothing
// else to include. Nothing here throws of itself, except where it says so.
//
// Threads: every object may be used by all threads. Listeners and callbacks run on threads of the
// client's own; they may block, and may call all of this. Lifetime: a producer or consumer may
// outlive its Client object. A destructor does what shutdown() does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rmq::api {

inline constexpr std::chrono::milliseconds kTimeout{3'000};

// Why something did not come about: what for a program, why for people.
struct Failure {
  std::string category;  // "ResponseCode": a server refused; "NetErrc", "ClientErrc" ...
  int code = 0;          // within the category; of "ResponseCode" RocketMQ's number
  std::string reason;    // with the address of the server that said it
};

// A value, or a Failure.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Outcome(Failure failure) : content_(std::in_place_index<1>, std::move(failure)) {}

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Of an outcome that is not ok(): throws std::bad_variant_access.
  T& value() { return std::get<0>(content_); }
  const T& value() const { return std::get<0>(content_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  // Of an outcome that is ok(): likewise.
  const Failure& failure() const { return std::get<1>(content_); }

 private:
  std::variant<T, Failure> content_;
};

struct Done {};

struct Queue {
  std::string topic;
  std::string broker;
  std::int32_t id = 0;
  friend bool operator==(const Queue&, const Queue&) = default;
};

using Properties = std::vector<std::pair<std::string, std::string>>;

struct Message {
  std::string topic;
  std::string body;
  std::string tag;
  std::vector<std::string> keys;
  Properties properties;
  // When it may be consumed, at most one other than 0: after the time of one of the broker's
  // levels, after so long, or from that moment on.
  std::int32_t delay_level = 0;
  std::int64_t delay_ms = 0;
  std::int64_t deliver_at_ms = 0;
};

struct Received {
  Queue queue;
  std::int64_t offset = 0;
  std::string message_id;
  std::string body;
  std::string tag;
  std::vector<std::string> keys;
  Properties properties;
  std::int32_t reconsume_times = 0;
  std::int64_t born_ms = 0;
  std::int64_t stored_ms = 0;
};

// A message that is stored. `status` is "SEND_OK", or what the broker could not do in time besides:
// "FLUSH_DISK_TIMEOUT", "FLUSH_SLAVE_TIMEOUT", "SLAVE_NOT_AVAILABLE".
struct Receipt {
  std::string status;
  std::string message_id;  // of a batch: all, "a,b"
  Queue queue;
  std::int64_t offset = 0;  // of a batch: the first
};

struct ClientOptions {
  std::string name_servers = "127.0.0.1:9876";  // "host:port;host:port"
  // What the other members of its groups know it by. Empty: one that nobody else has.
  std::string client_id;
  std::size_t io_threads = 1;
};

// Connections and routes, which the producers and consumers of an application share.
class Client {
 public:
  // Connects to nobody yet. Fails on addresses that cannot be read.
  static Outcome<Client> create(ClientOptions options = {});
  const std::string& client_id() const;

  class Impl;
  const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  explicit Client(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

struct ProducerOptions {
  std::string group = "DEFAULT_PRODUCER";
  int retries = 2;  // further attempts, at other brokers when there are any
  std::size_t async_in_flight_max = 4'096;
};

class Producer {
 public:
  using Callback = std::function<void(Outcome<Receipt>)>;
  // An index into the queues that take messages now; called on a thread of the client that must not
  // be held up.
  using Chooser = std::function<std::size_t(const std::vector<Queue>&)>;

  explicit Producer(const Client& client, ProducerOptions options = {});
  ~Producer();
  Producer(Producer&&) noexcept;
  Producer& operator=(Producer&&) noexcept;
  void shutdown();

  // To the queues in turn. A broker that does not answer is left out until it is well again.
  // `timeout` covers all attempts.
  Outcome<Receipt> send(Message message, std::chrono::milliseconds timeout = kTimeout);
  // To this queue, to the one of a key (as Java's SelectMessageQueueByHash picks it), or to the one
  // chosen: one attempt.
  Outcome<Receipt> send_to(Message message, Queue queue,
                           std::chrono::milliseconds timeout = kTimeout);
  Outcome<Receipt> send_by_key(Message message, std::string key,
                               std::chrono::milliseconds timeout = kTimeout);
  Outcome<Receipt> send_by(Message message, Chooser choose,
                           std::chrono::milliseconds timeout = kTimeout);
  // All or none: messages of one topic, none of them delayed, in one request.
  Outcome<Receipt> send_batch(std::vector<Message> messages,
                              std::chrono::milliseconds timeout = kTimeout);
  // Nobody learns whether it was stored.
  Outcome<Done> send_oneway(Message message, std::chrono::milliseconds timeout = kTimeout);
  // send(), with a callback that is called once, also when the message is refused at once.
  void send_async(Message message, Callback done, std::chrono::milliseconds timeout = kTimeout);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

enum class Model { Clustering, Broadcasting };
// Where a group begins that has read nothing of a queue yet.
enum class From { Last, First, Timestamp };
enum class Consumed {
  Done,
  Later  // again, after a while
};

struct ConsumerOptions {
  std::string group;  // must not be empty
  Model model = Model::Clustering;
  From from = From::Last;
  std::int64_t from_timestamp_ms = 0;
  // Push consumers: one call per queue at a time, in order.
  bool orderly = false;
  std::size_t threads = 4;
  std::size_t batch_max = 1;                        // messages of one call, or of one poll()
  std::optional<std::int32_t> reconsume_times_max;  // 16; orderly: without end
  // After Later: the broker's delay level (0: its choice, by how often the message failed;
  // negative: to the dead letter queue); orderly: how long the queue waits.
  std::int32_t retry_delay_level = 0;
  std::chrono::milliseconds suspend{1'000};
  std::chrono::milliseconds shutdown_patience{10'000};
  std::size_t cached_bytes_max = std::size_t{128} * 1024 * 1024;
  bool auto_commit = true;        // pull consumers
  std::string offsets_directory;  // broadcasting; empty: $HOME/.rocketmq_offsets, as Java
};

// Calls a listener with what comes. Members of a clustering group share the queues, with Java
// consumers too.
class PushConsumer {
 public:
  // An exception means Later.
  using Listener = std::function<Consumed(const std::vector<Received>&)>;

  PushConsumer(const Client& client, ConsumerOptions options, Listener listener);
  ~PushConsumer();
  PushConsumer(PushConsumer&&) noexcept;
  PushConsumer& operator=(PushConsumer&&) noexcept;

  // "*", or tags: "a || b"; also while it runs. All members of a group should want the same.
  Outcome<Done> subscribe(std::string topic, std::string tags = "*");
  void unsubscribe(std::string topic);
  // A property filter, which the broker must support.
  Outcome<Done> subscribe_sql(std::string topic, std::string expression);
  Outcome<Done> start();
  // Waits for listeners, at most `shutdown_patience`; what they finished is committed.
  void shutdown();
  std::vector<Queue> queues() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Gives messages when it is asked.
class PullConsumer {
 public:
  PullConsumer(const Client& client, ConsumerOptions options);
  ~PullConsumer();
  PullConsumer(PullConsumer&&) noexcept;
  PullConsumer& operator=(PullConsumer&&) noexcept;

  // Its share of a topic's queues, or the queues that it names.
  Outcome<Done> subscribe(std::string topic, std::string tags = "*");
  void assign(std::vector<Queue> queues);
  Outcome<std::vector<Queue>> fetch_queues(std::string topic);
  Outcome<Done> start();
  void shutdown();

  // Up to `batch_max` messages of one queue; none after `timeout`.
  std::vector<Received> poll(std::chrono::milliseconds timeout = kTimeout);
  // Keeps how far poll() has come.
  void commit();
  // What is kept for a queue, if anything.
  Outcome<std::optional<std::int64_t>> committed(Queue queue);
  // Of the first message stored at or after that time.
  Outcome<std::int64_t> offset_at(Queue queue, std::int64_t epoch_ms);
  Outcome<Done> seek(Queue queue, std::int64_t offset);
  Outcome<Done> seek_to_begin(Queue queue);
  Outcome<Done> seek_to_end(Queue queue);
  void pause(std::vector<Queue> queues);
  void resume(std::vector<Queue> queues);
  std::vector<Queue> queues() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rmq::api
