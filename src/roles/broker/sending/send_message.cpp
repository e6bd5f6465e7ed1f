#include "roles/broker/sending/send_message.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "net/response_frame.h"
#include "protocol/header_fields.h"
#include "protocol/message_batch.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "protocol/response_codes.h"
#include "protocol/send.h"
#include "protocol/tag_filter.h"
#include "roles/broker/broker.h"
#include "roles/broker/delivery/delayed_record.h"
#include "roles/broker/delivery/retry.h"
#include "roles/broker/sending/send_checks.h"
#include "roles/broker/sending/send_thread.h"
#include "roles/error_mapping.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {
namespace {

using protocol::MessageRecord;
using protocol::ResponseCode;
using protocol::SendMessageRequest;
using protocol::SendProperties;
namespace property = protocol::property;

// Where a request's records go.
struct Destination {
  std::string_view topic;
  QueueId queue_id = 0;
  storage::Queue* queue = nullptr;
  bool multi_tags = false;
  bool dead_letters = false;
};

// What all records of a request share. It views `to`.
MessageRecord record_template(const Broker& broker, const net::Connection& connection,
                              const SendMessageRequest& request, const Destination& to) {
  MessageRecord record;
  record.topic = to.topic;
  record.queue_id = to.queue_id;
  record.sys_flag = request.sys_flag;
  if (to.multi_tags) record.sys_flag |= protocol::kSysFlagMultiTags;
  record.born_timestamp_ms = request.born_timestamp;
  record.born_host = connection.peer().host;
  record.store_host = broker.store_host;
  record.reconsume_times = request.reconsume_times;
  return record;
}

// The properties to store: as they came when they can stay so, else rewritten in `scratch`. The
// broker's own are set anew in either case: a client must not speak for it.
std::string_view stored_properties(std::string_view properties, const SendProperties& found,
                                   std::string& scratch) {
  const bool as_they_are = !found.irregular && found.pop_ck.empty() && found.cluster.empty() &&
                           found.msg_region.empty() && found.trace_switch.empty() &&
                           found.delay_mark.empty();
  if (as_they_are) return properties;
  static constexpr std::array<protocol::Property, 5> kRemoved{{{property::kPopCk, {}},
                                                               {property::kCluster, {}},
                                                               {property::kMsgRegion, {}},
                                                               {property::kTraceSwitch, {}},
                                                               {property::kDelayMark, {}}}};
  scratch = protocol::rewrite_properties(properties, kRemoved);
  return scratch;
}

// Which of the limits was broken is not said, as in Java.
tl::unexpected<Error> too_large(const Broker& broker) {
  return fail(ResponseCode::MessageIllegal, size_remark(broker.config.store));
}

bool fits_segment(const Broker& broker, std::size_t bytes) {
  const std::int64_t segment_bytes = broker.config.store.commit_log_segment_bytes;
  return bytes + protocol::kBlankRecordBytes <= static_cast<std::size_t>(segment_bytes);
}

Result<> append_record(const Broker& broker, storage::AppendBatch& batch,
                       const MessageRecord& record, std::string_view tags) {
  const Result<std::size_t> bytes = protocol::record_bytes(record);
  if (!bytes) return too_large(broker);
  const std::size_t begin = batch.buffer().size();
  protocol::encode_record(record, batch.buffer());
  batch.add_record(begin, protocol::tag_hash(tags));
  return {};
}

Result<> add_single(Broker& broker, SendThread& thread, AppendTurn& turn, MessageRecord record,
                    const SendMessageRequest& request, const SendProperties& found,
                    const Destination& to, PendingSend& pending) {
  record.flag = request.flag;
  std::string& scratch = thread.properties();
  record.properties = stored_properties(request.properties, found, scratch);
  std::string generated;
  record.more_properties = broker.own_properties;
  std::string_view unique_key = found.uniq_key;
  protocol::MessageIdText key;  // viewed by unique_key
  if (unique_key.empty()) {
    key = broker.unique_keys->next(broker.clock.now_ms());
    protocol::append_property(generated, property::kUniqKey, key.view());
    generated += broker.own_properties;
    record.more_properties = generated;
    unique_key = key.view();
  }
  RMQ_TRY(const std::int64_t level, delay_level(found.delay_level));
  storage::Queue* queue = to.queue;
  if (to.dead_letters) {
    static constexpr std::array<protocol::Property, 1> kNotDelayed{
        {{property::kDelayTimeLevel, "-1"}}};
    scratch = protocol::rewrite_properties(record.properties, kNotDelayed);
    record.properties = scratch;
  } else if (level > 0) {
    schedule(record, level, broker.store->delay_levels(), scratch);
    queue = nullptr;  // another one
  }
  storage::AppendBatch& batch = *turn.batch;
  const std::size_t begin = batch.buffer().size();
  if (!add_to_batch(*broker.store, batch, record, found.tags, queue)) return too_large(broker);
  // The answer repeats the key long after the frame is gone: it is in the record just made, which
  // ends with its properties.
  const std::string_view encoded = as_text(ByteView(batch.buffer()).subspan(begin));
  const std::size_t properties = record.properties.size() + record.more_properties.size();
  const std::size_t key_at = encoded.find(unique_key, encoded.size() - properties);
  pending.key_begin = static_cast<std::uint32_t>(begin + key_at);
  pending.key_bytes = static_cast<std::uint32_t>(unique_key.size());
  return {};
}

std::string_view without_mark(std::string_view properties, const SendProperties& found,
                              std::string& scratch) {
  if (found.delay_mark.empty()) return properties;
  static constexpr std::array<protocol::Property, 1> kRemoved{{{property::kDelayMark, {}}}};
  scratch = protocol::rewrite_properties(properties, kRemoved);
  return scratch;
}

Result<> add_batch(Broker& broker, SendThread& thread, AppendTurn& turn, MessageRecord record,
                   const SendMessageRequest& request, const SendProperties& own, ByteView body,
                   storage::Queue& queue) {
  RMQ_CHECK(refuse_delayed(own));
  storage::AppendBatch& batch = *turn.batch;
  batch.begin_group(queue);
  protocol::BatchReader entries(body);
  const auto add_entries = [&]() -> Result<> {
    for (;;) {
      RMQ_TRY(const std::optional<protocol::BatchEntry> entry, entries.next());
      if (!entry) break;
      const SendProperties found = protocol::parse_send_properties(entry->properties);
      RMQ_CHECK(refuse_special(found, request.sys_flag, broker.config));
      RMQ_CHECK(refuse_delayed(found));
      record.flag = entry->flag;
      record.body = entry->body;
      record.properties = without_mark(entry->properties, found, thread.properties());
      RMQ_CHECK(append_record(broker, batch, record, found.tags));
    }
    if (batch.groups().back().record_count == 0) {
      return fail(ResponseCode::MessageIllegal, "the batch has no message");
    }
    return {};
  };
  if (Result<> added = add_entries(); !added) {
    batch.drop_group();
    if (added.error().code == protocol::ProtocolErrc::BodyMalformed) {
      return fail(ResponseCode::MessageIllegal, "the batch is malformed: " + added.error().detail);
    }
    return added;
  }
  return {};
}

// Looked up once for all messages to a queue, until topics change.
Result<SendTarget> find_target(Broker& broker, SendThread& thread,
                               const SendMessageRequest& request, const net::Endpoint& peer) {
  const bool chosen = request.queue_id >= 0;
  if (chosen) {
    if (const SendTarget* known = thread.target(request.topic, request.queue_id)) return *known;
  }
  RMQ_TRY(const SendTopic topic, topic_for_send(broker, thread, request, peer));
  RMQ_CHECK(check_queue(request, topic, peer));
  const QueueId queue_id = chosen ? request.queue_id : thread.random_queue(topic.write_queue_nums);
  const SendTarget target{&broker.store->queue(request.topic, queue_id), topic};
  if (chosen) thread.remember_target(target);
  return target;
}

void submit_turn(Broker& broker, SendThread& thread) {
  if (std::shared_ptr<AppendTurn> turn = thread.end_turn()) submit(broker, std::move(turn));
}

// The turn for a send that waits so: others' that wait otherwise go before it, so that no client
// waits for what only another has asked for.
AppendTurn& turn_for(Broker& broker, net::ReadTurn& read, const AppendTurn::Waits& waits) {
  SendThread& thread = broker.send_thread(read.thread);
  if (!thread.turn().sends.empty() && thread.turn().waits != waits) {
    thread.end_part(read.connection);
    submit_turn(broker, thread);
  }
  thread.turn().waits = waits;
  return thread.turn();
}

Result<> add_send(Broker& broker, net::ReadTurn& read, const ReceivedSend& send) {
  const SendMessageRequest& request = send.request;
  RMQ_CHECK(check_send(broker, request, send.body));
  SendThread& thread = broker.send_thread(read.thread);
  RMQ_TRY(const SendTarget target, find_target(broker, thread, request, read.connection.peer()));
  const QueueId queue_id = target.queue->queue_id();
  Destination to{request.topic, queue_id, target.queue, target.topic.multi_tags, false};
  RMQ_TRY(const std::optional<protocol::TopicConfig> dead_letters,
          dead_letter_topic_for_send(broker, request, send.version));
  if (dead_letters) {
    to = {dead_letters->topic, 0, &broker.store->queue(dead_letters->topic, 0),
          dead_letters->filter_type == protocol::TopicFilterType::MultiTag, true};
  }
  const SendProperties found = protocol::parse_send_properties(request.properties);
  RMQ_CHECK(refuse_special(found, request.sys_flag, broker.config));
  MessageRecord record = record_template(broker, read.connection, request, to);
  AppendTurn& turn =
      turn_for(broker, read, {found.wait_for_store(), broker.topics.unsaved(to.topic)});
  storage::AppendBatch& batch = *turn.batch;
  const std::size_t begin = batch.buffer().size();
  PendingSend pending{.asked = send.asked, .queue_id = queue_id};
  pending.group = static_cast<std::uint32_t>(batch.groups().size());
  if (request.batch) {
    RMQ_CHECK(add_batch(broker, thread, turn, record, request, found, send.body, *to.queue));
  } else {
    record.body = send.body;
    RMQ_CHECK(add_single(broker, thread, turn, record, request, found, to, pending));
  }
  // The store would refuse the whole turn.
  if (!fits_segment(broker, batch.buffer().size() - begin)) {
    batch.drop_group();
    return too_large(broker);
  }
  turn.sends.push_back(pending);
  return {};
}

void add_received(Broker& broker, net::ReadTurn& turn, SendThread& thread) {
  for (const ReceivedSend& send : thread.received()) {
    thread.prefetch_queue(send.request.topic, send.request.queue_id);
  }
  for (const ReceivedSend& send : thread.received()) {
    const Result<> added = add_send(broker, turn, send);
    if (!added) refuse_send(broker, turn.connection, send.asked, added.error());
  }
  thread.received().clear();
}

}  // namespace

void on_send_message(Broker& broker, net::ReadTurn& turn, const protocol::CommandView& command) {
  const net::Asked asked(command);
  const auto request = protocol::decode_fields<SendMessageRequest>(command);
  if (!request) return refuse_send(broker, turn.connection, asked, request.error());
  SendThread& thread = broker.send_thread(turn.thread);
  thread.prefetch_target(request->topic, request->queue_id);
  thread.received().push_back({*request, asked, command.version, command.body});
  if (thread.received().size() == SendThread::kReceivedMax) add_received(broker, turn, thread);
}

void end_send_turn(Broker& broker, net::ReadTurn& turn) {
  SendThread& thread = broker.send_thread(turn.thread);
  add_received(broker, turn, thread);
  if (!thread.end_part(turn.connection)) return;
  if (thread.is_full()) return submit_turn(broker, thread);
  if (thread.turn().parts.size() > 1) return;  // it is submitted with the first
  // Behind the read turns of all other connections that have something now.
  turn.thread.post([&broker, &thread] { submit_turn(broker, thread); });
}

void refuse_send(const Broker& broker, net::Connection& connection, const net::Asked& asked,
                 const Error& why) {
  net::Response response = to_response(store_refusal(why));
  // Java clients read both without looking whether they are there.
  response.fields.emplace_back(property::kMsgRegion, broker.config.region_id);
  response.fields.emplace_back(property::kTraceSwitch, broker.config.trace_on ? "true" : "false");
  net::write_response(connection.out(), asked, std::move(response));
}

}  // namespace rmq::roles::broker
