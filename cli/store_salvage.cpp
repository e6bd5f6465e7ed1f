// `rmq store salvage`.
#include <map>

#include "cli/consent.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "cli/topic_names.h"
#include "client/message.h"
#include "client/producer.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "storage/offline/diverged.h"
#include "storage/placeholder.h"

namespace rmq::cli {
namespace {

namespace offline = storage::offline;
namespace property = protocol::property;
using client::ReceivedMessage;
using offline::DivergedFile;

// More than this many messages are counted for people, not listed.
constexpr std::int64_t kRowsMax = 1000;

// In a message that was sent again: what it was called before.
constexpr const char* kSalvagedProperty = "RMQ_SALVAGED";

struct SalvageOptions : StoreOptions {
  Consent consent;
  bool send = false;
  std::string topic;
  std::int64_t from = 0;
  std::string group = "rmq-cli";
};

// What a record is, and what becomes of it.
struct Salvaged {
  ReceivedMessage message;
  std::string topic;    // where it is sent to
  std::string skipped;  // why it is not; empty: it is
};

std::string property_of(const ReceivedMessage& message, std::string_view name) {
  for (const auto& [key, value] : message.properties) {
    if (key == name) return value;
  }
  return "";
}

// Topics that only brokers write to.
bool is_internal(const std::string& topic) {
  static const std::vector<std::string> kNames{"TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC",
                                               "OFFSET_MOVED_EVENT", "SCHEDULE_TOPIC_XXXX"};
  return topic.starts_with("RMQ_SYS_") || topic.starts_with("rmq_sys_") ||
         std::ranges::find(kNames, topic) != kNames.end();
}

// Why the message is not to be sent; empty when it is.
std::string reason_to_skip(const protocol::MessageRecord& record, const Salvaged& found) {
  const std::string& stored_in = found.message.queue.topic;
  const bool undecided = stored_in == "RMQ_SYS_TRANS_HALF_TOPIC" ||
                         stored_in == "RMQ_SYS_TRANS_OP_HALF_TOPIC" ||
                         record.transaction_type() == protocol::kSysFlagTransactionPrepared ||
                         record.transaction_type() == protocol::kSysFlagTransactionRollback;
  if (storage::is_placeholder(record)) return "damaged";
  if (undecided) return "transaction";
  if (is_internal(found.topic)) return "internal";
  if (found.message.body_error) return "body";
  if (found.message.body.empty()) return "empty";
  return "";
}

Result<Salvaged> look_at(ByteView bytes, const SalvageOptions& options) {
  RMQ_TRY(const protocol::MessageRecord record, protocol::decode_record(bytes));
  RMQ_TRY(std::vector<ReceivedMessage> messages, client::decode_messages(bytes, ""));
  Salvaged found;
  found.message = std::move(messages.front());
  found.topic = found.message.queue.topic;
  // A delayed message waits in a topic of the broker's.
  if (found.topic == "SCHEDULE_TOPIC_XXXX") {
    const std::string real = property_of(found.message, property::kRealTopic);
    if (!real.empty()) found.topic = real;
  }
  found.skipped = reason_to_skip(record, found);
  const bool chosen = (options.topic.empty() || options.topic == found.topic) &&
                      found.message.physical_offset.value >= options.from;
  if (!chosen) found.skipped = "not asked for";
  return found;
}

// As its application made it. What clients and brokers added they add again.
client::Message message_of(const Salvaged& found) {
  static const std::vector<std::string_view> kAdded{property::kTags,
                                                    property::kKeys,
                                                    property::kDelayTimeLevel,
                                                    property::kUniqKey,
                                                    property::kWaitStoreMsgOk,
                                                    property::kRealTopic,
                                                    property::kRealQueueId,
                                                    property::kDelayMark,
                                                    property::kTransactionPrepared,
                                                    property::kProducerGroup,
                                                    property::kMinOffset,
                                                    property::kMaxOffset,
                                                    property::kCluster,
                                                    property::kMsgRegion,
                                                    property::kTraceSwitch,
                                                    property::kTransactionPreparedQueueOffset,
                                                    property::kTransactionId,
                                                    property::kCrc32};
  client::Message message;
  message.topic = found.topic;
  message.body = found.message.body;
  message.tag = found.message.tag;
  message.keys = found.message.keys;
  message.flag = found.message.flag;
  for (const auto& [name, value] : found.message.properties) {
    if (std::ranges::find(kAdded, name) == kAdded.end())
      message.properties.emplace_back(name, value);
  }
  message.properties.emplace_back(kSalvagedProperty, found.message.message_id);
  if (found.message.queue.topic == "SCHEDULE_TOPIC_XXXX") {
    message.delay_level = std::atoi(property_of(found.message, property::kDelayTimeLevel).c_str());
  }
  return message;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string name_of(const DivergedFile& file) { return file.path.substr(file.path.rfind('/') + 1); }

// Counts what is found, and shows it.
class SalvageReport {
 public:
  explicit SalvageReport(OutputFormat format) : format_(format) {}

  void begin_file(const DivergedFile& file) {
    json::Value value = json::Value::object();
    value.set("file", file.path).set("from", file.from.value).set("to", file.to.value);
    value.set("time", file.time).set("sent", file.sent);
    files_.push_back(std::move(value));
    in_file_ = 0;
    file_ = &file;
  }
  void add(const Salvaged& found) {
    ++in_file_;
    ++messages_;
    if (found.skipped.empty()) ++to_send_;
    if (!found.skipped.empty()) ++skipped_[found.skipped];
    const ReceivedMessage& message = found.message;
    if (is_for_programs(format_)) return list_.push_back(value_of(found));
    if (is_for_people(format_) && messages_ > kRowsMax) return;
    messages_table_.add_row({std::to_string(message.physical_offset.value), message.queue.topic,
                             std::to_string(message.queue.queue_id),
                             std::to_string(message.offset.value), join(message.keys),
                             message.message_id, std::to_string(message.body.size()),
                             format_time_ms(message.store_timestamp_ms),
                             found.skipped.empty() ? "-" : found.skipped, found.topic});
  }
  void end_file() {
    files_table_.add_row({name_of(*file_), std::to_string(file_->from.value),
                          std::to_string(file_->to - file_->from), std::to_string(in_file_),
                          file_->sent ? "yes" : "no"});
  }

  std::int64_t to_send() const { return to_send_; }
  std::int64_t skipped() const { return messages_ - to_send_; }

  // "3 messages, 2 of them can be sent again; 1 is not: transaction".
  std::string note() const {
    std::string text = std::to_string(messages_) + " messages, " + std::to_string(to_send_) +
                       " of them to be sent again with --send";
    for (const auto& [why, count] : skipped_) {
      text += "; " + std::to_string(count) + " not: " + why;
    }
    if (is_for_people(format_) && messages_ > kRowsMax) {
      text += "; the first " + std::to_string(kRowsMax) + " are shown, --output csv has all";
    }
    return text;
  }

  Listing listing(std::int64_t sent) const {
    Listing listing;
    listing.tables = {messages_table_, files_table_};
    listing.note = messages_ == 0 ? "nothing has diverged here" : note();
    listing.value = json::Value::object();
    json::Value files = json::Value::array();
    for (const json::Value& file : files_) files.push_back(file);
    json::Value messages = json::Value::array();
    for (const json::Value& message : list_) messages.push_back(message);
    json::Value skipped = json::Value::object();
    for (const auto& [why, count] : skipped_) skipped.set(why, count);
    listing.value.set("files", std::move(files)).set("messages", std::move(messages));
    listing.value.set("to_send", to_send_).set("skipped", std::move(skipped)).set("sent", sent);
    return listing;
  }

 private:
  static json::Value value_of(const Salvaged& found) {
    const ReceivedMessage& message = found.message;
    json::Value keys = json::Value::array();
    for (const std::string& key : message.keys) keys.push_back(key);
    json::Value value = json::Value::object();
    value.set("position", message.physical_offset.value).set("topic", message.queue.topic);
    value.set("send_to", found.topic).set("queue", message.queue.queue_id);
    value.set("offset", message.offset.value).set("keys", std::move(keys));
    value.set("message_id", message.message_id);
    value.set("bytes", static_cast<std::int64_t>(message.body.size()));
    value.set("stored_ms", message.store_timestamp_ms).set("skipped", found.skipped);
    return value;
  }

  const OutputFormat format_;
  const DivergedFile* file_ = nullptr;
  std::int64_t in_file_ = 0;
  std::int64_t messages_ = 0;
  std::int64_t to_send_ = 0;
  std::map<std::string, std::int64_t> skipped_;
  std::vector<json::Value> files_;
  std::vector<json::Value> list_;
  Table messages_table_{{{"POSITION", Align::Right},
                         {"TOPIC"},
                         {"QUEUE", Align::Right},
                         {"OFFSET", Align::Right},
                         {"KEYS"},
                         {"MESSAGE ID"},
                         {"BYTES", Align::Right},
                         {"STORED"},
                         {"SKIPPED"},
                         {"SENT TO", Align::Left, Detail::Wide}}};
  Table files_table_{{{"FILE"},
                      {"FROM", Align::Right},
                      {"BYTES", Align::Right},
                      {"MESSAGES", Align::Right},
                      {"SENT"}}};
};

// How far sending has come.
struct Sent {
  std::int64_t count = 0;
  PhysicalOffset at;  // of the message that is being sent
};

Result<> send_file(const DivergedFile& file, const SalvageOptions& options, Session& session,
                   client::Producer& producer, Progress& progress, Sent& sent) {
  return offline::read_diverged(FileSystem::posix(), file, [&](ByteView bytes) -> Result<> {
    RMQ_TRY(const Salvaged found, look_at(bytes, options));
    if (!found.skipped.empty()) return {};
    sent.at = found.message.physical_offset;
    const client::Message message = message_of(found);
    const auto done = session.run_quietly<Result<client::SendResult>>(
        [&] { return producer.send(message, options.timeout()); });
    if (!done) return fail(done.error());
    ++sent.count;
    progress.what("sent " + std::to_string(sent.count));
    return {};
  });
}

// A file of which everything was sent is not sent again.
Result<> send_all(const std::vector<DivergedFile>& files, const SalvageOptions& options,
                  Session& session, Console& console, Sent& sent) {
  client::ProducerOptions producer_options;
  producer_options.group = options.group;
  client::Producer producer(session.client(), producer_options);
  Progress progress(console, "sending");
  for (const DivergedFile& file : files) {
    if (file.sent) continue;
    const bool whole = options.topic.empty() && options.from <= file.from.value;
    RMQ_CHECK(send_file(file, options, session, producer, progress, sent));
    if (whole) {
      RMQ_CHECK(offline::note_sent(FileSystem::posix(), file));
    }
  }
  return {};
}

Result<> read_all(const std::vector<DivergedFile>& files, const SalvageOptions& options,
                  SalvageReport& found) {
  for (const DivergedFile& file : files) {
    found.begin_file(file);
    const Result<> read =
        offline::read_diverged(FileSystem::posix(), file, [&](ByteView bytes) -> Result<> {
          RMQ_TRY(Salvaged one, look_at(bytes, options));
          if (file.sent) one.skipped = "sent before";
          found.add(one);
          return {};
        });
    found.end_file();
    RMQ_CHECK(read);
  }
  return {};
}

ExitCode salvage_store(SalvageOptions& options, const offline::StorePlace& place,
                       Console& console) {
  const auto refuse = [&](const Error& why) {
    return report(explain_store_error(why, "look at what diverged", options), options.format(),
                  console);
  };
  const auto files = offline::list_diverged(FileSystem::posix(), place);
  if (!files) return refuse(files.error());
  SalvageReport found(options.format());
  if (const Result<> read = read_all(*files, options, found); !read) return refuse(read.error());
  if (!options.send || found.to_send() == 0) {
    show(found.listing(0), options.format(), console);
    return ExitCode::Ok;
  }
  const std::string what = "send " + std::to_string(found.to_send()) + " messages of " +
                           place.config.root_directory + " again, and leave out " +
                           std::to_string(found.skipped());
  const auto refusal =
      ask_consent(options.consent, what, place.config.root_directory, options.format(), console);
  if (refusal) return *refusal;
  const std::unique_ptr<Session> session = open_session(options, console);
  if (session == nullptr) return ExitCode::Usage;
  Sent sent;
  if (const Result<> done = send_all(*files, options, *session, console, sent); !done) {
    Failure failure =
        explain(done.error(), "send the message at " + std::to_string(sent.at.value), options);
    failure.message += "; " + std::to_string(sent.count) + " messages were sent before it";
    failure.hint += (failure.hint.empty() ? "" : " ") + std::string("Go on with --from ") +
                    std::to_string(sent.at.value) + ".";
    return report(failure, options.format(), console);
  }
  if (is_for_people(options.format())) {
    say("sent " + std::to_string(sent.count) + " messages, left out " +
            std::to_string(found.skipped()),
        options.format(), console);
  } else {
    show(found.listing(sent.count), options.format(), console);
  }
  return ExitCode::Ok;
}

}  // namespace

void add_store_salvage(const Command& noun, Console& console) {
  const auto [verb, options] = add_verb<SalvageOptions>(
      noun, "salvage",
      "Show, and send again, the messages that only this store had when its log was cut to its "
      "master's: those in rmq/diverged",
      "rmq store salvage ./rmq-data --send --namesrv 10.0.0.1:9876");
  add_place_options(verb, *options);
  verb.flag(
      "--send", options->send,
      "Send them again, as new messages, to their topic; a delayed one to its real topic, with its "
      "delay. Left out: transactions that were not committed, and topics of the broker's own. Each "
      "has its old id in the property RMQ_SALVAGED");
  verb.option("--topic", options->topic, "Only messages that go to this topic").type("TOPIC");
  verb.option("--from", options->from, "Only messages from this position of the log on")
      .not_negative()
      .type("POSITION");
  verb.option("--group", options->group, "Name of the producer group").shows_default();
  add_consent_options(verb, options->consent);
  add_common_options(verb, *options);
  verb.does([options = options, &console] {
    const auto place = open_place(*options, console);
    if (!place) return finish(ExitCode::Usage);
    finish(salvage_store(*options, *place, console));
  });
}

}  // namespace rmq::cli
