// Header fields: the typed "custom header" of a request or response, flattened to strings on the
// wire. A header is a plain struct that names its fields once; decoding, encoding and documentation
// come from that list:
//
//   struct GetMinOffsetRequest {
//     std::string_view topic{};
//     QueueId queue_id = 0;
//     template <class Self, class F>
//     static constexpr void fields(Self& self, F&& f) {
//       f("topic", self.topic, kRequired);
//       f("queueId", self.queue_id, kRequired);
//     }
//   };
//
// Member types: std::string_view, bool, std::int32_t, std::int64_t, the positions of units.h, enums
// with their own parse_field() and field_text(), and std::optional of these. kRequired: absent is
// an error. kOptional: absent leaves the member's default. Java checks little of this and fails
// later, so only what its handlers cannot do without is required. Unknown fields are ignored.
// Every member has an initializer ({}), so that designated initializers compile without warnings.
// Encoding leaves out an empty std::optional, and an optional string_view that is empty.
// A struct with short_fields() and uses_short_names(code) has two sets of names (SEND_MESSAGE and
// SEND_MESSAGE_V2). Lifetime: the string_views view the frame or command that was decoded.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "protocol/command.h"
#include "protocol/frame.h"
#include "protocol/head_writer.h"
#include "protocol/protocol_errc.h"
#include "protocol/request_codes.h"

namespace rmq::protocol {

struct Required {};
struct Optional {};
inline constexpr Required kRequired;
inline constexpr Optional kOptional;

// The base of headers without fields.
struct NoFields {
  template <class Self, class F>
  static constexpr void fields(Self&, F&&) {}
};

// Ext fields that are only known as text; encodes but does not decode.
struct TextFields {
  const std::vector<std::pair<std::string, std::string>>& list;
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    for (const auto& [key, value] : self.list) f(key, std::string_view(value), kRequired);
  }
};

// The text of a number or boolean, in place.
class FieldText {
 public:
  explicit FieldText(std::int64_t value) {
    const auto result = std::to_chars(digits_, digits_ + sizeof(digits_), value);
    text_ = {digits_, static_cast<std::size_t>(result.ptr - digits_)};
  }
  FieldText(const FieldText&) = delete;
  FieldText& operator=(const FieldText&) = delete;
  operator std::string_view() const { return text_; }

 private:
  char digits_[24];
  std::string_view text_;
};

// False when `text` is not a value of that type. As Java: a boolean is true for "true" in any case,
// else false.
inline bool parse_field(std::string_view text, std::string_view& out) {
  out = text;
  return true;
}
bool parse_field(std::string_view text, bool& out);
bool parse_field(std::string_view text, std::int32_t& out);
bool parse_field(std::string_view text, std::int64_t& out);
template <class Tag>
bool parse_field(std::string_view text, Position<Tag>& out) {
  return parse_field(text, out.value);
}
template <class T>
bool parse_field(std::string_view text, std::optional<T>& out) {
  return parse_field(text, out.emplace());
}

inline std::string_view field_text(std::string_view value) { return value; }
inline std::string_view field_text(bool value) { return value ? "true" : "false"; }
inline FieldText field_text(std::int32_t value) { return FieldText(value); }
inline FieldText field_text(std::int64_t value) { return FieldText(value); }
template <class Tag>
FieldText field_text(Position<Tag> value) {
  return FieldText(value.value);
}

namespace detail {

struct LongNames {
  template <class T, class F>
  static constexpr void visit(T& value, F&& f) {
    std::remove_const_t<T>::fields(value, f);
  }
};
struct ShortNames {
  template <class T, class F>
  static constexpr void visit(T& value, F&& f) {
    std::remove_const_t<T>::short_fields(value, f);
  }
};

template <class T>
concept HasShortNames = requires(std::int32_t code) {
  { T::uses_short_names(code) } -> std::same_as<bool>;
};

template <class T, class Names>
constexpr std::size_t count_fields() {
  T value{};
  std::size_t count = 0;
  Names::visit(value, [&](std::string_view, auto&, auto) { ++count; });
  return count;
}

template <class T, class Names>
constexpr auto field_names() {
  std::array<std::string_view, count_fields<T, Names>()> names{};
  T value{};
  std::size_t at = 0;
  Names::visit(value, [&](std::string_view name, auto&, auto) { names[at++] = name; });
  return names;
}

tl::unexpected<Error> field_missing(std::string_view name);
tl::unexpected<Error> field_malformed(std::string_view name, std::string_view text);

// a == b, without a call for the names of one letter that sends have.
inline bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() == 1) return a.front() == b.front();
  return a == b;
}

// Sorts the ext fields to the struct's by name: peers send them in the same order again and again,
// so the name after the one found last is tried first.
template <std::size_t kCount>
void match_fields(const CommandView& command, const std::array<std::string_view, kCount>& names,
                  std::array<const std::string_view*, kCount>& values) {
  std::size_t likely = 0;
  for (const CommandView::Field& field : command.fields) {
    if (likely >= kCount || !same(names[likely], field.key)) {
      likely = 0;
      while (likely < kCount && !same(names[likely], field.key)) ++likely;
      if (likely == kCount) continue;
    }
    values[likely++] = &field.value;
  }
}

template <class T, class Names>
Result<T> decode(const CommandView& command) {
  static constexpr auto kNames = field_names<T, Names>();
  std::array<const std::string_view*, kNames.size()> values{};
  if constexpr (kNames.size() != 0) match_fields(command, kNames, values);
  T out{};
  std::size_t at = 0;
  std::optional<std::size_t> missing;
  std::optional<std::size_t> malformed;
  Names::visit(out, [&](std::string_view, auto& member, auto presence) {
    const std::string_view* const text = values[at];
    if (text == nullptr) {
      if (std::same_as<decltype(presence), Required> && !missing) missing = at;
    } else if (!parse_field(*text, member) && !malformed) {
      malformed = at;
    }
    ++at;
  });
  if (missing) return field_missing(kNames[*missing]);
  if (malformed) return field_malformed(kNames[*malformed], *values[*malformed]);
  return out;
}

// Calls put(name, text) for each field that has a value.
template <class Names, class T, class Put>
void for_each_text(const T& value, Put&& put) {
  Names::visit(value, [&](std::string_view name, const auto& member, auto presence) {
    using Field = std::remove_cvref_t<decltype(member)>;
    if constexpr (requires { member.has_value(); }) {
      if (member.has_value()) put(name, field_text(*member));
    } else if constexpr (std::same_as<Field, std::string_view> &&
                         std::same_as<decltype(presence), Optional>) {
      if (!member.empty()) put(name, member);
    } else {
      put(name, field_text(member));
    }
  });
}

}  // namespace detail

// Errors: ProtocolErrc::FieldMissing and FieldMalformed, naming the field.
template <class T>
Result<T> decode_fields(const CommandView& command) {
  if constexpr (detail::HasShortNames<T>) {
    if (T::uses_short_names(command.code)) return detail::decode<T, detail::ShortNames>(command);
  }
  return detail::decode<T, detail::LongNames>(command);
}

// Appends the fields of a header to an outgoing command's ext fields. `code` picks the set of
// names, where a header has two.
template <class T>
void append_fields(const T& value, std::int32_t code,
                   std::vector<std::pair<std::string, std::string>>& out) {
  const auto put = [&](std::string_view name, std::string_view text) {
    out.emplace_back(std::string(name), std::string(text));
  };
  if constexpr (detail::HasShortNames<T>) {
    if (T::uses_short_names(code)) {
      detail::for_each_text<detail::ShortNames>(value, put);
      return;
    }
  }
  detail::for_each_text<detail::LongNames>(value, put);
}
template <class T>
void append_fields(const T& value, std::vector<std::pair<std::string, std::string>>& out) {
  append_fields(value, 0, out);
}

// A request with this header, ready to be sent.
template <class T>
Command make_request(RequestCode code, const T& header, Bytes body = {}) {
  Command command;
  command.code = static_cast<std::int32_t>(code);
  append_fields(header, command.code, command.fields);
  command.body = std::move(body);
  return command;
}

// See ResponseHead. `Fields` may be any header, NoFields or TextFields.
template <class Fields>
bool encode_response_head(const ResponseHead& head, const Fields& fields, Bytes& out) {
  HeadWriter writer(head, out);
  detail::for_each_text<detail::LongNames>(
      fields, [&](std::string_view name, std::string_view text) { writer.field(name, text); });
  return writer.finish();
}

}  // namespace rmq::protocol
