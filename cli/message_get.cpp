// `rmq message get` and `rmq message query`: single messages.
#include <algorithm>
#include <ostream>

#include "base/base64.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/message_format.h"
#include "cli/output.h"
#include "cli/targets.h"
#include "cli/topic_names.h"
#include "client/client_errc.h"
#include "client/pull_consumer.h"
#include "net/net_errc.h"
#include "protocol/protocol_errc.h"
#include "protocol/response_codes.h"

namespace rmq::cli {
namespace {

using client::AdminClient;
using client::ClientErrc;
using client::ReceivedMessage;

struct GetOptions : CommonOptions {
  std::string id;
  std::string topic;
  std::string broker;
  std::optional<std::int32_t> queue;
  std::optional<std::int64_t> offset;
};

struct QueryOptions : CommonOptions {
  std::string topic;
  std::string key;
  std::string from;
  std::string to;
  std::int32_t max = 64;
};

// A message for people: a line for each thing, the body in full.
Listing listing_of(const ReceivedMessage& message) {
  Table table({{"FIELD"}, {"VALUE"}});
  table.add_row({"topic", message.queue.topic});
  table.add_row({"broker", message.queue.broker_name});
  table.add_row({"queue", std::to_string(message.queue.queue_id)});
  table.add_row({"offset", std::to_string(message.offset.value)});
  table.add_row({"message id", message.message_id});
  table.add_row({"offset message id", message.offset_message_id});
  table.add_row({"born", format_time_ms(message.born_timestamp_ms) + " at " + message.born_host});
  table.add_row(
      {"stored", format_time_ms(message.store_timestamp_ms) + " at " + message.store_host});
  table.add_row({"reconsume times", std::to_string(message.reconsume_times)});
  for (const auto& [name, value] : message.properties) table.add_row({"property " + name, value});
  if (message.body_error) table.add_row({"body is as stored", message.body_error->message()});
  const std::string_view body = as_text(message.body);
  table.add_row({"body bytes", std::to_string(message.body.size())});
  if (is_utf8(body)) {
    table.add_row({"body", std::string(body)});
  } else {
    table.add_row({"body in base64", to_base64(message.body)});
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = message_json(message);
  return listing;
}

Failure no_message(const std::string& what, const std::string& hint) {
  Failure failure;
  failure.exit = ExitCode::NotFound;
  failure.code = "NO_MESSAGE";
  failure.message = what;
  failure.hint = hint;
  return failure;
}

// One address of each broker of a topic.
Result<std::vector<Target>> brokers_of(const std::string& topic, AdminClient& admin,
                                       Session& session) {
  RMQ_TRY(const protocol::TopicRouteData route,
          session.run<Result<protocol::TopicRouteData>>([&] { return admin.route(topic); }));
  std::vector<Target> targets;
  for (const protocol::BrokerData& broker : route.broker_datas) {
    if (broker.broker_addrs.empty()) continue;
    targets.push_back({broker.broker_name, broker.broker_addrs.begin()->second});
  }
  return targets;
}

// From all brokers of the topic, sorted by time. Errors: of the first broker that had one.
Result<std::vector<ReceivedMessage>> query(const client::MessageQuery& wanted, AdminClient& admin,
                                           Session& session) {
  RMQ_TRY(const std::vector<Target> targets, brokers_of(wanted.topic, admin, session));
  auto answers = ask_each<std::vector<ReceivedMessage>>(targets, session, [&](const Target& t) {
    return admin.query_messages(t.address, t.broker, wanted);
  });
  std::vector<ReceivedMessage> messages;
  for (auto& answer : answers) {
    if (!answer) return fail(std::move(answer.error()));
    std::move(answer->begin(), answer->end(), std::back_inserter(messages));
  }
  std::stable_sort(messages.begin(), messages.end(), [](const auto& a, const auto& b) {
    return a.store_timestamp_ms < b.store_timestamp_ms;
  });
  return messages;
}

ExitCode get_by_id(const GetOptions& options, Session& session, Console& console) {
  const std::string task = "get message '" + options.id + "'";
  AdminClient admin(session.client(), options.timeout());
  if (!options.topic.empty()) {
    client::MessageQuery wanted;
    wanted.topic = options.topic;
    wanted.key = options.id;
    wanted.unique_key = true;
    const auto found = query(wanted, admin, session);
    if (!found) {
      return report(explain_topic_error(found.error(), task, options.topic, options, session),
                    options.format(), console);
    }
    if (!found->empty()) {
      show(listing_of(found->front()), options.format(), console);
      return ExitCode::Ok;
    }
  }
  const auto message = session.run<Result<ReceivedMessage>>(
      [&] { return admin.view_message(options.id, options.topic); });
  if (message) {
    show(listing_of(*message), options.format(), console);
    return ExitCode::Ok;
  }
  const std::string hint =
      options.topic.empty()
          ? "If it is the id that its producer gave it, name the topic too: --topic TOPIC."
          : "'rmq message query TOPIC --key KEY' finds messages by their keys.";
  if (message.error().code == protocol::ProtocolErrc::FieldMalformed) {
    return report(usage_failure("'" + options.id + "' is no message id: it has 32 or 56 hex digits",
                                "'rmq message tail TOPIC --output json' shows ids."),
                  options.format(), console);
  }
  Failure failure = explain(message.error(), task, options);
  // A producer's id, taken for a place, names a port or a message that cannot be.
  if (message.error().code == net::NetErrc::AddressMalformed) {
    failure = no_message("'" + options.id + "' does not say where its message is", hint);
  } else if (message.error().code.category() == protocol::response_category()) {
    failure = no_message(failure.message, hint);
  } else {
    failure.hint += " " + hint;
  }
  return report(failure, options.format(), console);
}

net::Task<Result<client::PullResult>> pull_one(client::PullConsumer& consumer,
                                               client::MessageQueue queue, QueueOffset at) {
  co_return co_await consumer.pull(std::move(queue), at, std::chrono::milliseconds(0));
}

// The queue that --queue and --broker mean.
Result<client::MessageQueue> choose_queue(const GetOptions& options,
                                          const std::vector<client::MessageQueue>& all) {
  std::vector<client::MessageQueue> matching;
  for (const client::MessageQueue& queue : all) {
    const bool right_broker = options.broker.empty() || queue.broker_name == options.broker;
    if (queue.queue_id == *options.queue && right_broker) matching.push_back(queue);
  }
  const std::string name =
      "queue " + std::to_string(*options.queue) + " of topic '" + options.topic + "'";
  if (matching.empty()) {
    return fail(ClientErrc::QueueUnknown,
                name + (options.broker.empty() ? "" : " on broker '" + options.broker + "'"));
  }
  if (matching.size() == 1) return matching.front();
  return fail(ClientErrc::QueueUnknown, name + " is on several brokers, say which with --broker");
}

ExitCode get_by_offset(const GetOptions& options, Session& session, Console& console) {
  const std::string task = "get the message at offset " + std::to_string(*options.offset) +
                           " of queue " + std::to_string(*options.queue);
  const auto fail_with = [&](const Error& error) {
    return report(explain_topic_error(error, task, options.topic, options, session),
                  options.format(), console);
  };
  client::PullConsumerOptions consumer_options;
  consumer_options.max_messages = 1;
  consumer_options.timeout = options.timeout();
  client::PullConsumer consumer(session.client(), consumer_options);
  const auto queues = session.run<Result<std::vector<client::MessageQueue>>>(
      [&] { return consumer.queues(options.topic); });
  if (!queues) return fail_with(queues.error());
  const auto queue = choose_queue(options, *queues);
  if (!queue) return fail_with(queue.error());
  const QueueOffset at{*options.offset};
  const auto pulled =
      session.run<Result<client::PullResult>>([&] { return pull_one(consumer, *queue, at); });
  if (!pulled) return fail_with(pulled.error());
  if (!pulled->messages.empty() && pulled->messages.front().offset == at) {
    show(listing_of(pulled->messages.front()), options.format(), console);
    return ExitCode::Ok;
  }
  return report(
      no_message("queue " + std::to_string(*options.queue) + " of topic '" + options.topic +
                     "' has no message at offset " + std::to_string(*options.offset),
                 "It has the offsets from " + std::to_string(pulled->min.value) +
                     " up to, but not with, " + std::to_string(pulled->max.value) + "."),
      options.format(), console);
}

ExitCode get_message(const GetOptions& options, Session& session, Console& console) {
  const bool by_offset = options.queue.has_value() || options.offset.has_value();
  if (!options.id.empty() && !by_offset) return get_by_id(options, session, console);
  if (options.id.empty() && options.queue && options.offset && !options.topic.empty()) {
    return get_by_offset(options, session, console);
  }
  return report(usage_failure("which message is meant is not clear",
                              "Give an ID, with --topic when its producer made it, or --topic, "
                              "--queue and --offset."),
                options.format(), console);
}

ExitCode query_messages(const QueryOptions& options, Session& session, Console& console) {
  const std::string task = "look for key '" + options.key + "' in topic '" + options.topic + "'";
  client::MessageQuery wanted;
  wanted.topic = options.topic;
  wanted.key = options.key;
  wanted.max = options.max;
  if (!options.from.empty()) wanted.begin_ms = *parse_time_ms(options.from);
  if (!options.to.empty()) wanted.end_ms = *parse_time_ms(options.to);
  AdminClient admin(session.client(), options.timeout());
  const auto messages = query(wanted, admin, session);
  if (!messages) {
    return report(explain_topic_error(messages.error(), task, options.topic, options, session),
                  options.format(), console);
  }
  if (messages->empty()) {
    return report(
        no_message("no message of topic '" + options.topic + "' has the key '" + options.key + "'" +
                       (options.from.empty() && options.to.empty() ? "" : " in that time"),
                   "Keys are found as producers wrote them, and only while the broker's "
                   "index reaches back so far."),
        options.format(), console);
  }
  json::Value list = json::Value::array();
  Table table = message_table();
  for (const ReceivedMessage& message : *messages) {
    list.push_back(message_json(message));
    table.add_row(message_row(message));
  }
  Listing listing;
  listing.tables.push_back(std::move(table));
  listing.value = json::Value::object();
  listing.value.set("topic", options.topic).set("key", options.key);
  listing.value.set("messages", std::move(list));
  show(listing, options.format(), console);
  return ExitCode::Ok;
}

std::string check_time(const std::string& text) {
  if (parse_time_ms(text)) return "";
  return "'" + text + "' is not a time like 2024-05-01T12:00:00 (UTC), or milliseconds";
}

}  // namespace

void add_message_get(const Command& noun, Console& console) {
  {
    const auto [verb, options] =
        add_verb<GetOptions>(noun, "get", "Show one message, by its id or by its place",
                             "rmq message get --topic Orders --queue 3 --offset 1200");
    verb.option("ID", options->id,
                "An offset message id, or with --topic the id that its producer gave it");
    verb.option("--topic", options->topic, "The topic");
    verb.option("--broker", options->broker, "The broker of --queue").type("BROKER");
    verb.option("--queue", options->queue, "The queue").not_negative().type("N");
    verb.option("--offset", options->offset, "The offset in the queue").not_negative().type("N");
    run_as(verb, options, console, get_message);
  }
  {
    const auto [verb, options] =
        add_verb<QueryOptions>(noun, "query", "Find messages by a key",
                               "rmq message query Orders --key 4711 --from 2024-05-01");
    verb.option("TOPIC", options->topic, "The topic").required();
    verb.option("--key", options->key, "One of the keys that the producer gave it")
        .required()
        .checked_by([](const std::string& key) {
          return key.empty() ? std::string("an empty key finds nothing") : std::string();
        });
    verb.option("--from", options->from, "Stored at or after (UTC, or epoch ms)")
        .checked_by(check_time)
        .type("TIME");
    verb.option("--to", options->to, "Stored at or before").checked_by(check_time).type("TIME");
    verb.option("--max", options->max, "So many of each broker, the newest")
        .within(1, 10'000)
        .type("N")
        .shows_default();
    run_as_reader(verb, options, console, query_messages);
  }
}

}  // namespace rmq::cli
