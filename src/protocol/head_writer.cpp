#include "protocol/head_writer.h"

#include <charconv>
#include <cstring>

#include "base/byte_search.h"

namespace rmq::protocol {
namespace {

constexpr std::size_t kHeadBytes = 8;       // the two length words
constexpr std::size_t kUsualBytes = 512;    // most heads fit, so that the output grows once
constexpr std::size_t kEscapeBytesMax = 6;  // \u0001
constexpr std::size_t kHeaderBytesMax = (1 << 24) - 1;  // what the header word can say

// At most kRemarkBytesMax bytes, not ending within a character.
std::string_view cut_remark(std::string_view remark) {
  if (remark.size() <= kRemarkBytesMax) return remark;
  std::size_t end = kRemarkBytesMax;
  while (end > 0 && (static_cast<unsigned char>(remark[end]) & 0xC0) == 0x80) --end;
  return remark.substr(0, end);
}

}  // namespace

HeadWriter::HeadWriter(const ResponseHead& head, Bytes& out)
    : out_(out),
      type_(head.type),
      code_(head.code),
      flag_(kFlagResponse),
      language_(Language::Cpp),
      version_(kVersion),
      opaque_(head.opaque),
      remark_(cut_remark(head.remark)),
      body_bytes_(head.body_bytes),
      start_(out.size()),
      end_(start_) {
  begin();
}

HeadWriter::HeadWriter(const Command& command, Bytes& out)
    : out_(out),
      type_(command.type),
      code_(command.code),
      flag_(command.flag),
      language_(command.language),
      version_(command.version),
      opaque_(command.opaque),
      remark_(cut_remark(command.remark)),
      body_bytes_(command.body.size()),
      start_(out.size()),
      end_(start_) {
  begin();
}

void HeadWriter::lengthen(std::size_t bytes) { out_.resize(end_ + bytes + kUsualBytes); }

void HeadWriter::append(std::string_view text) {
  if (!text.empty()) std::memcpy(grow(text.size()), text.data(), text.size());
}

void HeadWriter::append_number(std::int64_t number) {
  char text[24];
  const auto result = std::to_chars(text, text + sizeof(text), number);
  append({text, static_cast<std::size_t>(result.ptr - text)});
}

template <class T>
void HeadWriter::append_big_endian(T number) {
  store_big_endian(reinterpret_cast<std::byte*>(grow(sizeof(T))), number);
}

void HeadWriter::append_json_string(std::string_view text) {
  const char* const end = text.data() + text.size();
  if (find_escape_worthy(text.data(), end) != end) return append_escaped(text);
  char* const to = grow(text.size() + 2);
  to[0] = '"';
  if (!text.empty()) std::memcpy(to + 1, text.data(), text.size());
  to[text.size() + 1] = '"';
}

void HeadWriter::append_escaped(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  char* const begin = grow(text.size() * kEscapeBytesMax + 2);
  char* to = begin;
  *to++ = '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && c != '"' && c != '\\') {
      *to++ = c;
    } else if (byte >= 0x20) {
      *to++ = '\\';
      *to++ = c;
    } else {
      std::memcpy(to, "\\u00", 4);
      to[4] = kHexDigits[byte >> 4];
      to[5] = kHexDigits[byte & 0xF];
      to += kEscapeBytesMax;
    }
  }
  *to++ = '"';
  end_ -= text.size() * kEscapeBytesMax + 2 - static_cast<std::size_t>(to - begin);
}

void HeadWriter::begin() {
  grow(kHeadBytes);
  if (type_ == SerializeType::Json) {
    append("{\"code\":");
    append_number(code_);
    append(",\"extFields\":{");
    return;
  }
  append_big_endian(static_cast<std::int16_t>(code_));
  append_big_endian(static_cast<std::uint8_t>(language_));
  append_big_endian(static_cast<std::int16_t>(version_));
  append_big_endian(opaque_);
  append_big_endian(flag_);
  append_big_endian(static_cast<std::uint32_t>(remark_.size()));
  append(remark_);
  fields_at_ = end_;
  append_big_endian(std::uint32_t{0});
}

void HeadWriter::field(std::string_view key, std::string_view value) {
  if (type_ == SerializeType::Json) {
    if (!first_field_) append(",");
    first_field_ = false;
    append_json_string(key);
    append(":");
    append_json_string(value);
    return;
  }
  if (key.size() > 0x7FFF) too_large_ = true;  // its length does not fit its two bytes
  append_big_endian(static_cast<std::uint16_t>(key.size()));
  append(key);
  append_big_endian(static_cast<std::uint32_t>(value.size()));
  append(value);
}

void HeadWriter::finish_json() {
  append("},\"flag\":");
  append_number(flag_);
  append(",\"language\":\"");
  append(language_name(language_));
  append("\",\"opaque\":");
  append_number(opaque_);
  if (!remark_.empty()) {
    append(",\"remark\":");
    append_json_string(remark_);
  }
  append(",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":");
  append_number(version_);
  append("}");
}

void HeadWriter::finish_binary() {
  const std::size_t field_bytes = end_ - fields_at_ - sizeof(std::uint32_t);
  store_big_endian(out_.data() + fields_at_, static_cast<std::uint32_t>(field_bytes));
}

bool HeadWriter::finish() {
  if (type_ == SerializeType::Json) {
    finish_json();
  } else {
    finish_binary();
  }
  const std::size_t header_bytes = end_ - start_ - kHeadBytes;
  const std::size_t length = sizeof(std::uint32_t) + header_bytes + body_bytes_;
  if (too_large_ || header_bytes > kHeaderBytesMax || length > kFrameBytesMax - kLengthBytes) {
    out_.resize(start_);
    return false;
  }
  store_big_endian(out_.data() + start_, static_cast<std::uint32_t>(length));
  const auto word =
      static_cast<std::uint32_t>(type_) << 24 | static_cast<std::uint32_t>(header_bytes);
  store_big_endian(out_.data() + start_ + sizeof(std::uint32_t), word);
  out_.resize(end_);
  return true;
}

}  // namespace rmq::protocol
