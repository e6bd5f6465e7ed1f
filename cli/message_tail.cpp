#include <algorithm>
#include <map>
#include <ostream>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/message_format.h"
#include "cli/output.h"
#include "cli/topic_names.h"
#include "client/client_errc.h"
#include "client/queue_reader.h"
#include "net/gather.h"

namespace rmq::cli {
namespace {

using client::ClientErrc;
using client::MessageQueue;
using client::QueueRange;

// How much --from recent shows of each queue.
constexpr std::int64_t kRecentMessages = 10;

struct TailOptions : CommonOptions {
  std::string topic;
  std::string from = "recent";
  std::optional<std::int64_t> from_ms;  // when --from is a time
  std::string tags = "*";
  std::optional<std::int64_t> count;
  std::optional<std::int32_t> queue;
  std::string broker;
  std::optional<double> timeout_s;
  bool no_follow = false;
};

Result<std::vector<MessageQueue>> pick_queues(const TailOptions& options,
                                              std::vector<MessageQueue> all) {
  std::erase_if(all, [&](const MessageQueue& queue) {
    return (options.queue && queue.queue_id != *options.queue) ||
           (!options.broker.empty() && queue.broker_name != options.broker);
  });
  if (!all.empty()) return all;
  std::string which = options.queue ? "queue " + std::to_string(*options.queue) : "queues";
  if (!options.broker.empty()) which += " on broker '" + options.broker + "'";
  return fail(ClientErrc::QueueUnknown, "topic '" + options.topic + "' has no readable " + which);
}

// Where to start in one queue, and where to end when new messages are not waited for.
net::Task<Result<QueueRange>> find_range(const TailOptions& options, client::PullConsumer& consumer,
                                         MessageQueue queue) {
  RMQ_CO_TRY(const QueueOffset begin, co_await consumer.begin_offset(queue));
  RMQ_CO_TRY(const QueueOffset end, co_await consumer.end_offset(queue));
  QueueRange range;
  range.from = end;
  if (options.from == "earliest") range.from = begin;
  if (options.from == "recent") range.from = std::max(begin, end - kRecentMessages);
  if (options.from_ms) {
    RMQ_CO_TRY(range.from, co_await consumer.offset_at(queue, *options.from_ms));
  }
  if (options.no_follow) range.until = end;
  range.queue = std::move(queue);
  co_return range;
}

// Prints messages as they come; used on the io thread while the command's thread waits.
class TailPrinter {
 public:
  TailPrinter(const TailOptions& options, Console& console)
      : options_(options), console_(console) {}

  // False when --count is reached.
  bool print(const client::ReceivedMessage& message) {
    troubles_.erase(message.queue.broker_name);
    print_message(message, options_.format(), count_ == 0, console_);
    ++count_;
    return !options_.count || count_ < *options_.count;
  }

  // Once for each trouble of a broker, not for each attempt of each queue.
  void trouble(const MessageQueue& queue, const Error& error) {
    std::string& known = troubles_[queue.broker_name];
    if (known == error.message()) return;
    known = error.message();
    console_.err << "rmq: " << escape_for_terminal(queue.broker_name + ": " + known)
                 << "; trying again\n";
  }

  std::int64_t count() const { return count_; }

 private:
  const TailOptions& options_;
  Console& console_;
  std::int64_t count_ = 0;
  std::map<std::string, std::string> troubles_;  // broker -> what was said last
};

net::Task<Result<bool>> tail(const TailOptions& options, Session& session, TailPrinter& printer,
                             SteadyTime deadline) {
  client::PullConsumerOptions consumer_options;
  consumer_options.tags = options.tags;
  consumer_options.timeout = options.timeout();
  client::PullConsumer consumer(session.client(), consumer_options);
  RMQ_CO_TRY(std::vector<MessageQueue> all, co_await consumer.queues(options.topic));
  RMQ_CO_TRY(const std::vector<MessageQueue> queues, pick_queues(options, std::move(all)));

  std::vector<std::function<net::Task<Result<QueueRange>>()>> questions;
  for (const MessageQueue& queue : queues) {
    questions.push_back(
        [&options, &consumer, &queue] { return find_range(options, consumer, queue); });
  }
  std::vector<Result<QueueRange>> found =
      co_await net::gather<Result<QueueRange>>(session.thread(), std::move(questions));
  std::vector<QueueRange> ranges;
  for (Result<QueueRange>& range : found) {
    if (!range) co_return fail(std::move(range.error()));
    ranges.push_back(std::move(*range));
  }

  client::QueueReaderOptions reader_options;
  reader_options.deadline = deadline;
  client::QueueReaderCallbacks callbacks;
  callbacks.on_message = [&printer](const client::ReceivedMessage& m) { return printer.print(m); };
  callbacks.on_trouble = [&printer](const MessageQueue& queue, const Error& error) {
    printer.trouble(queue, error);
  };
  co_return co_await client::read_queues(consumer, session.thread(), std::move(ranges),
                                         reader_options, std::move(callbacks));
}

// The time ran out before what was asked for was there.
Failure too_late(const TailOptions& options, std::int64_t count) {
  Failure failure;
  failure.exit = ExitCode::Unreachable;
  failure.code = "timed out";
  failure.message = "read " + std::to_string(count) + " messages of topic '" + options.topic + "'";
  if (options.count) failure.message += ", not " + std::to_string(*options.count) + ",";
  failure.message += " before --timeout was over";
  failure.hint = "Give it more time, or '--from earliest' to read what is there already.";
  return failure;
}

ExitCode tail_messages(const TailOptions& options, Session& session, Console& console) {
  SteadyTime deadline = SteadyTime::max();
  if (options.timeout_s) {
    const std::chrono::duration<double> limit(*options.timeout_s);
    deadline = std::chrono::steady_clock::now() +
               std::chrono::duration_cast<std::chrono::milliseconds>(limit);
  }
  TailPrinter printer(options, console);
  const auto in_time =
      session.run_quietly<Result<bool>>([&] { return tail(options, session, printer, deadline); });
  if (!in_time) {
    const std::string task = "read topic '" + options.topic + "'";
    return report(explain_topic_error(in_time.error(), task, options.topic, options, session),
                  options.format(), console);
  }
  const bool wanted_more = options.count.has_value() || options.no_follow;
  if (!*in_time && wanted_more) {
    return report(too_late(options, printer.count()), options.format(), console);
  }
  return ExitCode::Ok;
}

// Empty when `text` is a start for tail.
std::string check_from(const std::string& text) {
  if (text == "earliest" || text == "latest" || text == "recent" || parse_time_ms(text)) return "";
  return "'" + text + "' is not earliest, latest, recent, or a time like 2024-05-01T12:00:00";
}

}  // namespace

void add_message_tail(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<TailOptions>(
      noun, "tail", "Show messages, and new ones as they come; nothing is consumed by it",
      "rmq message tail Orders --from earliest --no-follow");
  verb.option("TOPIC", options->topic, "The topic").required();
  verb.option("--from", options->from,
              "earliest, latest, recent (10 of each queue), or a time (UTC, or epoch ms)")
      .checked_by(check_from)
      .type("WHERE")
      .shows_default();
  verb.option("--tag", options->tags, "Only these tags: 'a || b'").shows_default();
  verb.option("--count", options->count, "Stop after so many messages").positive().type("N");
  verb.option("--queue", options->queue, "Only queues with this number").not_negative().type("N");
  verb.option("--broker", options->broker, "Only queues of this broker");
  verb.option("--timeout", options->timeout_s, "Stop after so many seconds")
      .between(0.001, 1e9)
      .type("S");
  verb.flag("--no-follow", options->no_follow, "Stop at the present end of each queue");
  verb.after_parse([options = options] { options->from_ms = parse_time_ms(options->from); });
  run_as(verb, options, console, tail_messages);
}

}  // namespace rmq::cli
