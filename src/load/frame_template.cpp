#include "load/frame_template.h"

#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "protocol/frame.h"
#include "protocol/header_fields.h"
#include "protocol/message_batch.h"
#include "protocol/properties.h"
#include "protocol/protocol_errc.h"
#include "protocol/send.h"

namespace rmq::load {
namespace {

// What is looked for in the encoded frame; nothing else there looks like it.
constexpr std::int32_t kOpaqueMark = 1'987'654'321;
constexpr std::int64_t kBornMark = 1'789'456'123'987;
constexpr std::string_view kKeyMark = "FEDCBA9876543210";
constexpr std::string_view kStampMark = "0123456789ABCDEF";
constexpr std::size_t kHexDigits = 16;
constexpr std::size_t kBornDigits = 13;
constexpr std::size_t kOpaqueDigits = 10;
// Length, header word, code, language, version: what is in front of the opaque of a binary header.
constexpr std::size_t kBinaryOpaqueAt = 4 + 4 + 2 + 1 + 2;

std::vector<std::size_t> places_of(std::string_view mark, std::string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t at = text.find(mark); at != std::string_view::npos;
       at = text.find(mark, at + mark.size())) {
    places.push_back(at);
  }
  return places;
}

void write_hex(std::byte* to, std::uint64_t value) {
  for (std::size_t i = kHexDigits; i-- > 0; value >>= 4) {
    to[i] = static_cast<std::byte>("0123456789ABCDEF"[value & 15]);
  }
}

void write_decimal(std::byte* to, std::size_t digits, std::int64_t value) {
  for (std::size_t i = digits; i-- > 0; value /= 10) {
    to[i] = static_cast<std::byte>('0' + value % 10);
  }
}

// A batch has a key for each of its messages and none itself: `key` is empty.
std::string properties_of(const SendShape& shape, const std::string& key) {
  std::string properties;
  if (!key.empty()) protocol::append_property(properties, "UNIQ_KEY", key);
  protocol::append_property(properties, "WAIT", "true");
  if (!shape.tag.empty()) protocol::append_property(properties, "TAGS", shape.tag);
  return properties;
}

// Text that neither is a mark nor compresses to nothing.
Bytes body_of(const SendShape& shape) {
  Bytes body(shape.body_bytes);
  std::uint32_t state = 12345;
  for (std::byte& byte : body) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>('a' + (state >> 24) % 26);
  }
  if (body.size() >= kStampBytes) {
    std::copy_n(as_bytes(kStampMark).begin(), kStampBytes, body.begin());
  }
  return body;
}

std::size_t digits_of(QueueId queue_id) {
  std::size_t digits = 1;
  for (; queue_id >= 10; queue_id /= 10) ++digits;
  return digits;
}

Result<Bytes> encode_for(const SendShape& shape, const client::MessageQueue& queue,
                         const std::string& key_prefix) {
  const std::string properties = properties_of(shape, key_prefix + std::string(kKeyMark));
  const std::string of_batch = properties_of(shape, "");
  protocol::SendMessageRequest header;
  header.producer_group = shape.group;
  header.topic = queue.topic;
  header.default_topic = "TBW102";
  header.queue_id = queue.queue_id;
  header.born_timestamp = kBornMark;
  header.properties = shape.batch > 1 ? of_batch : properties;
  header.broker_name = queue.broker_name;
  header.batch = shape.batch > 1;
  Bytes body = body_of(shape);
  if (shape.batch > 1) {
    Bytes entries;
    for (std::int32_t i = 0; i < shape.batch; ++i) {
      RMQ_CHECK(protocol::append_batch_entry({.body = body, .properties = properties}, entries));
    }
    body = std::move(entries);
  }
  const auto code = shape.batch > 1 ? protocol::RequestCode::SendBatchMessage
                                    : protocol::RequestCode::SendMessageV2;
  protocol::Command request = protocol::make_request(code, header, std::move(body));
  request.opaque = kOpaqueMark;
  request.type = shape.type;
  Bytes frame;
  if (!protocol::encode_frame(request, frame)) {
    return fail(protocol::ProtocolErrc::FrameTooLarge, "a request with this much");
  }
  return frame;
}

std::size_t first_difference(const Bytes& one, const Bytes& other) {
  RMQ_ASSERT(one.size() == other.size());
  const auto [at, unused] = std::mismatch(one.begin(), one.end(), other.begin());
  return static_cast<std::size_t>(at - one.begin());
}

}  // namespace

std::optional<SteadyTime> read_stamp(ByteView body) {
  if (body.size() < kStampBytes) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::byte byte : body.first(kStampBytes)) {
    const char digit = static_cast<char>(byte);
    if (digit >= '0' && digit <= '9') {
      value = value << 4 | static_cast<std::uint64_t>(digit - '0');
    } else if (digit >= 'A' && digit <= 'F') {
      value = value << 4 | static_cast<std::uint64_t>(digit - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return SteadyTime(std::chrono::nanoseconds(static_cast<std::int64_t>(value)));
}

Result<FrameTemplate> FrameTemplate::make(const SendShape& shape, const client::MessageQueue& queue,
                                          const std::string& key_prefix) {
  FrameTemplate made;
  made.type_ = shape.type;
  made.broker_name_ = queue.broker_name;
  made.topic_bytes_ = queue.topic.size();
  made.queue_digits_ = digits_of(queue.queue_id);
  // Topic and number are where frames differ that are for other ones, as long.
  client::MessageQueue model = queue;
  model.topic.assign(queue.topic.size(), 'x');
  model.queue_id = 1;
  for (std::size_t i = 1; i < made.queue_digits_; ++i) model.queue_id *= 10;
  RMQ_TRY(made.frame_, encode_for(shape, model, key_prefix));
  client::MessageQueue other = model;
  other.topic.assign(queue.topic.size(), 'y');
  RMQ_TRY(const Bytes other_topic, encode_for(shape, other, key_prefix));
  other = model;
  other.queue_id *= 2;
  RMQ_TRY(const Bytes other_queue, encode_for(shape, other, key_prefix));
  made.topic_at_ = first_difference(made.frame_, other_topic);
  made.queue_at_ = first_difference(made.frame_, other_queue);
  const std::string_view text = as_text(made.frame_);
  made.opaque_at_ = shape.type == protocol::SerializeType::Binary
                        ? kBinaryOpaqueAt
                        : places_of(std::to_string(kOpaqueMark), text).at(0);
  made.born_at_ = places_of(std::to_string(kBornMark), text).at(0);
  made.keys_at_ = places_of(kKeyMark, text);
  made.stamps_at_ = places_of(kStampMark, text);
  return made;
}

bool FrameTemplate::fits(const client::MessageQueue& queue) const {
  return queue.topic.size() == topic_bytes_ && digits_of(queue.queue_id) == queue_digits_ &&
         queue.broker_name == broker_name_;
}

void FrameTemplate::append_to(Bytes& out, const client::MessageQueue& queue, std::int32_t opaque,
                              std::int64_t born_ms, SteadyTime stamp, std::uint64_t number) const {
  RMQ_ASSERT(opaque >= kOpaqueBase);
  const std::size_t begin = out.size();
  out.insert(out.end(), frame_.begin(), frame_.end());
  std::byte* frame = out.data() + begin;
  std::copy_n(as_bytes(queue.topic).begin(), topic_bytes_, frame + topic_at_);
  write_decimal(frame + queue_at_, queue_digits_, queue.queue_id);
  if (type_ == protocol::SerializeType::Binary) {
    for (std::size_t i = 0; i < 4; ++i) {
      frame[opaque_at_ + i] = static_cast<std::byte>(opaque >> (24 - 8 * i));
    }
  } else {
    write_decimal(frame + opaque_at_, kOpaqueDigits, opaque);
  }
  write_decimal(frame + born_at_, kBornDigits, born_ms);
  const auto stamp_ns = std::chrono::nanoseconds(stamp.time_since_epoch()).count();
  for (const std::size_t at : stamps_at_) {
    write_hex(frame + at, static_cast<std::uint64_t>(stamp_ns));
  }
  for (std::size_t i = 0; i < keys_at_.size(); ++i) write_hex(frame + keys_at_[i], number + i);
}

}  // namespace rmq::load
