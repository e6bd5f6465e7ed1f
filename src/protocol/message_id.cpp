#include "protocol/message_id.h"

#include <ctime>
#include <string>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {

// Appends upper-case hex to a MessageIdText.
class HexWriter {
 public:
  explicit HexWriter(MessageIdText& out) : out_(out) {}

  void write_bytes(ByteView bytes) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    RMQ_ASSERT(out_.size_ + 2 * bytes.size() <= out_.chars_.size());
    for (const std::byte byte : bytes) {
      const auto value = std::to_integer<unsigned>(byte);
      out_.chars_[out_.size_++] = kDigits[value >> 4];
      out_.chars_[out_.size_++] = kDigits[value & 0xF];
    }
  }
  template <class T>
  void write(T value) {
    std::byte bytes[sizeof(T)];
    store_big_endian(bytes, value);
    write_bytes(bytes);
  }

 private:
  MessageIdText& out_;
};

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Local time's month around `now_ms`, as Java's Calendar has it. `months_later` 1 is the month
// after it.
std::int64_t local_month_ms(std::int64_t now_ms, int months_later) {
  const auto now = static_cast<std::time_t>(now_ms / 1000);
  std::tm local{};
  localtime_r(&now, &local);
  std::tm first{};
  first.tm_year = local.tm_year;
  first.tm_mon = local.tm_mon + months_later;
  first.tm_mday = 1;
  first.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&first)) * 1000;
}

}  // namespace

MessageIdText encode_message_id(const MessageId& id) {
  MessageIdText text;
  HexWriter hex(text);
  hex.write_bytes(id.store_host.ip());
  hex.write(id.store_host.port());
  hex.write(id.physical_offset.value);
  return text;
}

Result<MessageId> decode_message_id(std::string_view text) {
  if (text.size() != kMessageIdCharsV4 && text.size() != kMessageIdCharsV6) {
    return fail(ProtocolErrc::FieldMalformed, "message id: " + std::string(text));
  }
  std::array<std::byte, kMessageIdCharsV6 / 2> bytes{};
  const std::size_t size = text.size() / 2;
  for (std::size_t i = 0; i < size; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return fail(ProtocolErrc::FieldMalformed, "message id: " + std::string(text));
    }
    bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  BigEndianReader reader(ByteView(bytes).first(size));
  const ByteView ip = reader.read_bytes(text.size() == kMessageIdCharsV4 ? 4 : 16);
  const auto port = reader.read<std::int32_t>();
  return MessageId{HostAddress(ip, port), PhysicalOffset{reader.read<std::int64_t>()}};
}

UniqKeyGenerator::UniqKeyGenerator(ByteView ip, std::uint16_t process_id,
                                   std::uint32_t process_number)
    : host_(ip, 0), process_id_(process_id), process_number_(process_number) {}

MessageIdText UniqKeyGenerator::next(std::int64_t now_ms) {
  MessageIdText text;
  HexWriter hex(text);
  hex.write_bytes(host_.ip());
  hex.write(process_id_);
  hex.write(process_number_);
  hex.write(static_cast<std::int32_t>(now_ms - month_start_ms(now_ms)));
  hex.write(counter_.fetch_add(1, std::memory_order_relaxed));
  return text;
}

std::int64_t UniqKeyGenerator::month_start_ms(std::int64_t now_ms) {
  if (now_ms < next_month_ms_.load(std::memory_order_acquire)) {
    const std::int64_t start = month_ms_.load(std::memory_order_relaxed);
    // A clock set back below the month's start gives a key of this month's first millisecond.
    return start < now_ms ? start : now_ms;
  }
  const std::int64_t start = local_month_ms(now_ms, 0);
  month_ms_.store(start, std::memory_order_relaxed);
  next_month_ms_.store(local_month_ms(now_ms, 1), std::memory_order_release);
  return start;
}

}  // namespace rmq::protocol
