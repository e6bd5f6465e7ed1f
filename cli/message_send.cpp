#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/topic_names.h"
#include "client/client_errc.h"
#include "client/producer.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using client::ClientErrc;
using client::MessageQueue;
using client::SendResult;

// More than this many are counted for people, not listed.
constexpr std::size_t kRowsMax = 100;

struct SendOptions : CommonOptions {
  std::string topic;
  std::string body;
  std::string file;
  std::string tag;
  std::vector<std::string> keys;
  std::vector<std::string> properties;
  std::optional<std::int32_t> queue;
  std::string broker;
  std::int64_t count = 1;
  std::string group = "rmq-cli";
  bool has_body = false;
};

Bytes bytes_of(std::istream& in) {
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const ByteView view = as_bytes(text);
  return Bytes(view.begin(), view.end());
}

// The body from the argument, standard input or a file. The error is the message for the user.
tl::expected<Bytes, Failure> read_body(const SendOptions& options) {
  if (!options.file.empty()) {
    std::ifstream file(options.file, std::ios::binary);
    if (!file) {
      return tl::unexpected(usage_failure("cannot read '" + options.file + "'",
                                          "Check that the file exists and that you may read it."));
    }
    return bytes_of(file);
  }
  if (options.body == "-") return bytes_of(std::cin);
  if (options.has_body) {
    const ByteView view = as_bytes(options.body);
    return Bytes(view.begin(), view.end());
  }
  return tl::unexpected(usage_failure("the message has no body",
                                      "Give the text, '-' for standard input, or --file NAME."));
}

tl::expected<client::Message, Failure> make_message(const SendOptions& options) {
  auto body = read_body(options);
  if (!body) return tl::unexpected(std::move(body.error()));
  client::Message message;
  message.topic = options.topic;
  message.body = std::move(*body);
  message.tag = options.tag;
  message.keys = options.keys;
  for (const std::string& property : options.properties) {
    const auto equals = property.find('=');
    if (equals == std::string::npos || equals == 0) {
      return tl::unexpected(usage_failure("--property '" + property + "' is not NAME=VALUE",
                                          "Write --property colour=blue."));
    }
    message.properties.emplace_back(property.substr(0, equals), property.substr(equals + 1));
  }
  return message;
}

// The queue that --queue and --broker mean.
Result<MessageQueue> choose_queue(const SendOptions& options, const client::TopicRoute& route) {
  std::vector<MessageQueue> matching;
  for (const MessageQueue& queue : route.writable()) {
    const bool right_broker = options.broker.empty() || queue.broker_name == options.broker;
    if (queue.queue_id == *options.queue && right_broker) matching.push_back(queue);
  }
  if (matching.size() == 1) return matching.front();
  const std::string name =
      "queue " + std::to_string(*options.queue) + " of topic '" + options.topic + "'";
  if (matching.empty()) {
    return fail(ClientErrc::QueueUnknown,
                name + (options.broker.empty() ? "" : " on broker '" + options.broker + "'"));
  }
  std::string brokers;
  for (const MessageQueue& queue : matching)
    brokers += (brokers.empty() ? "" : ", ") + queue.broker_name;
  return fail(ClientErrc::QueueUnknown,
              name + " is on several brokers, say which with --broker: " + brokers);
}

json::Value to_json(const SendResult& sent) {
  json::Value value = json::Value::object();
  value.set("status", client::send_status_name(sent.status));
  value.set("message_id", sent.message_id).set("offset_message_id", sent.offset_message_id);
  value.set("topic", sent.queue.topic).set("broker", sent.queue.broker_name);
  value.set("queue", sent.queue.queue_id).set("offset", sent.offset.value);
  value.set("address", sent.broker_address).set("attempts", sent.attempts);
  return value;
}

// Shows results: JSON as they come, a table at the end.
class SendReport {
 public:
  SendReport(const SendOptions& options, Console& console) : options_(options), console_(console) {}

  void add(const SendResult& sent) {
    ++count_;
    queues_.insert(sent.queue);
    if (sent.status != client::SendStatus::Ok) ++unsafe_[client::send_status_name(sent.status)];
    if (is_for_programs(options_.format())) {
      print_value(to_json(sent), options_.format(), console_);
      return;
    }
    Table& table = listing_.tables.front();
    if (options_.format() == OutputFormat::Csv || count_ <= kRowsMax) {
      table.add_row({sent.message_id, sent.queue.broker_name, std::to_string(sent.queue.queue_id),
                     std::to_string(sent.offset.value), client::send_status_name(sent.status),
                     sent.offset_message_id});
    }
  }

  void finish() {
    if (count_ > kRowsMax && is_for_people(options_.format())) {
      console_.out << "sent " << count_ << " messages to " << queues_.size() << " queues\n";
    } else if (count_ > 0 && !is_for_programs(options_.format())) {
      show(listing_, options_.format(), console_);
    }
    for (const auto& [status, count] : unsafe_) {
      console_.err << "rmq: " << count << " of them stored, but " << status
                   << ": not yet as safe as the broker is configured to make them\n";
    }
  }

 private:
  const SendOptions& options_;
  Console& console_;
  std::size_t count_ = 0;
  std::set<MessageQueue> queues_;
  std::map<std::string, std::size_t> unsafe_;
  Listing listing_{{Table({{"MESSAGE ID"},
                           {"BROKER"},
                           {"QUEUE", Align::Right},
                           {"OFFSET", Align::Right},
                           {"STATUS"},
                           {"OFFSET MESSAGE ID", Align::Left, Detail::Wide}})},
                   "",
                   {}};
};

ExitCode send_messages(const SendOptions& options, Session& session, Console& console) {
  const auto message = make_message(options);
  if (!message) return report(message.error(), options.format(), console);

  const std::string task = "send to topic '" + options.topic + "'";
  const auto fail_with = [&](const Error& error) {
    return report(explain_topic_error(error, task, options.topic, options, session),
                  options.format(), console);
  };
  client::ProducerOptions producer_options;
  producer_options.group = options.group;
  client::Producer producer(session.client(), producer_options);

  std::optional<MessageQueue> queue;
  if (options.queue) {
    const auto route = session.run<Result<client::SharedRoute>>(
        [&] { return producer.publish_route(options.topic, options.timeout()); });
    if (!route) return fail_with(route.error());
    auto chosen = choose_queue(options, **route);
    if (!chosen) return fail_with(chosen.error());
    queue = std::move(*chosen);
  }

  SendReport sends(options, console);
  Progress progress(console, "sending");
  for (std::int64_t i = 0; i < options.count; ++i) {
    progress.what("sent " + std::to_string(i) + " of " + std::to_string(options.count));
    const auto sent = session.run_quietly<Result<SendResult>>([&] {
      return queue ? producer.send_to(*message, *queue, options.timeout())
                   : producer.send(*message, options.timeout());
    });
    if (!sent) {
      sends.finish();
      return fail_with(sent.error());
    }
    sends.add(*sent);
  }
  sends.finish();
  return ExitCode::Ok;
}

}  // namespace

void add_message_send(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<SendOptions>(
      noun, "send", "Send a message", "rmq message send Orders 'two teapots' --tag new --key 4711");
  verb.option("TOPIC", options->topic, "The topic").required();
  const Option body = verb.option("BODY", options->body, "The text; - reads standard input");
  verb.option("--file", options->file, "Send what is in this file").excludes(body);
  verb.option("--tag", options->tag, "The tag that consumers filter by");
  verb.option("--key", options->keys, "A key to find it by; may be repeated").one_value_each_time();
  verb.option("--property", options->properties, "NAME=VALUE; may be repeated")
      .one_value_each_time();
  const Option queue = verb.option("--queue", options->queue, "Only to the queue with this number")
                           .not_negative()
                           .type("N");
  verb.option("--broker", options->broker, "The broker of --queue").needs(queue);
  verb.option("--count", options->count, "Send it so many times")
      .within(1, 1'000'000'000)
      .type("N")
      .shows_default();
  verb.option("--group", options->group, "Name of the producer group").shows_default();
  verb.after_parse([options = options, body] { options->has_body = body.given(); });
  run_as(verb, options, console, send_messages);
}

}  // namespace rmq::cli
