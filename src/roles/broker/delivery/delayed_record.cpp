#include "roles/broker/delivery/delayed_record.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "protocol/properties.h"
#include "protocol/response_codes.h"
#include "protocol/tag_filter.h"
#include "roles/broker/topics/topic_names.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {
namespace {

using protocol::MessageRecord;
using protocol::Property;
using protocol::ResponseCode;
namespace property = protocol::property;

template <class Integer>
std::optional<Integer> to_integer(std::string_view text) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::size_t properties_bytes(const MessageRecord& record) {
  return record.properties.size() + record.more_properties.size();
}

}  // namespace

Result<std::int64_t> delay_level(std::string_view text) {
  if (text.empty()) return 0;
  if (const auto level = to_integer<std::int32_t>(text)) return *level;
  return fail(ResponseCode::MessageIllegal, "property DELAY is not a number: " + std::string(text));
}

void schedule(MessageRecord& record, std::int64_t level, const storage::DelayLevels& levels,
              std::string& properties) {
  const std::int32_t clamped = levels.clamp(level);
  const std::string level_text = std::to_string(clamped);
  const std::string queue_text = std::to_string(record.queue_id);
  const std::array<Property, 8> changes{{{property::kDelayTimeLevel, level_text},
                                         {property::kRealTopic, record.topic},
                                         {property::kRealQueueId, queue_text},
                                         {property::kTimerDeliverMs, {}},
                                         {property::kTimerDelaySec, {}},
                                         {property::kTimerDelayMs, {}},
                                         {property::kCrc32, {}},
                                         {property::kDelayMark, {}}}};
  std::string rewritten = protocol::rewrite_properties(record.properties, changes);
  properties = std::move(rewritten);  // record.properties may have viewed it
  record.properties = properties;
  record.topic = storage::kScheduleTopic;
  record.queue_id = clamped - 1;
}

Result<> add_to_batch(storage::MessageStore& store, storage::AppendBatch& batch,
                      const MessageRecord& record, std::string_view tags, storage::Queue* queue) {
  const bool scheduled = record.topic == storage::kScheduleTopic;
  RMQ_TRY([[maybe_unused]] const std::size_t bytes, protocol::record_bytes(record));
  if (scheduled && properties_bytes(record) + kDelayMarkBytesMax > protocol::kPropertiesBytesMax) {
    return fail(protocol::RecordErrc::TooLarge, "properties and what delivery adds");
  }
  if (queue == nullptr) queue = &store.queue(record.topic, record.queue_id);
  batch.begin_group(*queue);
  const std::size_t begin = batch.buffer().size();
  protocol::encode_record(record, batch.buffer());
  if (scheduled) {
    batch.add_scheduled_record(begin, store.delay_levels().delay(record.queue_id + 1));
  } else {
    batch.add_record(begin, protocol::tag_hash(tags));
  }
  return {};
}

Result<std::unique_ptr<DueRecord>> due_record(const MessageRecord& waiting, const DelayMark& mark) {
  const auto topic = protocol::find_property(waiting.properties, property::kRealTopic);
  const auto queue_text = protocol::find_property(waiting.properties, property::kRealQueueId);
  const auto queue_id = queue_text ? to_integer<QueueId>(*queue_text) : std::nullopt;
  const bool usable = topic && queue_id && *queue_id >= 0 && check_topic_name(*topic).has_value() &&
                      *topic != kTransactionHalfTopic && *topic != storage::kScheduleTopic;
  if (!usable) {
    return fail(ResponseCode::MessageIllegal, "REAL_TOPIC " + std::string(topic.value_or("")) +
                                                  ", REAL_QID " +
                                                  std::string(queue_text.value_or("")));
  }
  auto due = std::make_unique<DueRecord>();
  const std::string mark_text = to_text(mark);
  std::array<Property, 2> changes{{{property::kCrc32, {}}, {property::kDelayMark, mark_text}}};
  due->properties = protocol::rewrite_properties(waiting.properties, changes);
  if (due->properties.size() > protocol::kPropertiesBytesMax) {
    // Stored by Java, which leaves no room. Delivered without its mark: perhaps twice, but not
    // lost.
    changes[1].value = {};
    due->properties = protocol::rewrite_properties(waiting.properties, changes);
  }
  due->record = waiting;
  due->record.properties = due->properties;
  due->record.topic = *topic;
  due->record.queue_id = *queue_id;
  due->record.prepared_transaction_offset = 0;
  return due;
}

}  // namespace rmq::roles::broker
