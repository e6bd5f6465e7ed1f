// json: a tree of JSON values with the habits of fastjson 1.2, which writes and reads the bodies
// and config files of RocketMQ: integer keys without quotes ({0:"a"}), objects as keys
// ({{"queueId":3}:5}), numbers given as strings and the other way round. docs and golden bytes:
// protocol reference, "JSON bodies". Reading is lenient (json_scanner.h lists how), writing gives
// exactly the bytes that fastjson would. Threads: a Value belongs to one at a time; the functions
// to any.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/errc.h"
#include "base/result.h"

#define RMQ_JSON_ERRC(X)         \
  X(Malformed, "malformed JSON") \
  X(TooDeep, "JSON nested too deeply")
RMQ_DEFINE_ERRC(rmq::json, JsonErrc, RMQ_JSON_ERRC)

namespace rmq::json {

struct Member;

class Value {
 public:
  enum class Kind { Null, Bool, Int, Double, String, Array, Object };

  Value();  // null
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();
  Value(bool value);
  template <std::integral N>
  requires(!std::same_as<N, bool> && !std::same_as<N, char>) Value(N value)
      : Value(Integer{static_cast<std::int64_t>(value)}) {}
  Value(double value);
  Value(std::string value);
  Value(std::string_view value);
  Value(const char* value);
  static Value object();
  static Value array();

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::Null; }
  bool is_string() const { return kind() == Kind::String; }
  bool is_array() const { return kind() == Kind::Array; }
  bool is_object() const { return kind() == Kind::Object; }

  // Building. These must be called on an object or an array, respectively. A member is appended
  // without a look at the earlier ones: set each key once (of equal keys every reader takes the
  // last).
  Value& set(std::string_view key, Value value);
  Value& set_integer_key(std::int64_t key, Value value);
  Value& set_object_key(Value key, Value value);
  Value& push_back(Value value);

  // The value of member `key`, or null when there is none or this is no object; finds integer keys
  // by their digits. Takes time in proportion to the number of members.
  const Value* find(std::string_view key) const;
  // In order; empty when this is no object or no array, respectively.
  const std::vector<Member>& members() const;
  const std::vector<Value>& items() const;

  // As fastjson converts: "10" and 10.9 are the integer 10, "true", "1" and 1 are true, numbers and
  // booleans have a text. Nothing for null and for what cannot be converted.
  std::optional<std::int64_t> as_int() const;
  std::optional<double> as_double() const;
  std::optional<bool> as_bool() const;
  std::optional<std::string> as_text() const;
  // The text of a String without a copy; empty for anything else.
  std::string_view string() const;

  // A member converted, or `otherwise` when it is absent, null or not convertible.
  std::int64_t int_or(std::string_view key, std::int64_t otherwise) const;
  double double_or(std::string_view key, double otherwise) const;
  bool bool_or(std::string_view key, bool otherwise) const;
  std::string text_or(std::string_view key, std::string_view otherwise) const;

  friend bool operator==(const Value& a, const Value& b);

 private:
  struct Integer {
    std::int64_t value;
  };
  explicit Value(Integer value);

  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<Value>,
               std::vector<Member>>
      data_;
};

// One member of an object. The key is a String, an Int or an Object.
struct Member {
  Value key;
  Value value;

  // The key as text; an object as compact JSON.
  std::string key_text() const;
  // The key as an integer, quoted or not.
  std::optional<std::int64_t> key_int() const { return key.as_int(); }
  // The key as an object, whether inlined ({{"a":1}:2}) or a string of JSON ({"{\"a\":1}":2});
  // otherwise null.
  Value key_object() const;

  friend bool operator==(const Member& a, const Member& b) {
    return a.key == b.key && a.value == b.value;
  }
};

// Here, and not in the class, because making a Value needs Member to be whole.
inline Value::Value() = default;
inline Value::Value(const Value& other) = default;
inline Value::Value(Value&& other) noexcept = default;
inline Value& Value::operator=(const Value& other) = default;
inline Value& Value::operator=(Value&& other) noexcept = default;
inline Value::~Value() = default;
inline Value::Value(bool value) : data_(value) {}
inline Value::Value(Integer value) : data_(value.value) {}
inline Value::Value(double value) : data_(value) {}
inline Value::Value(std::string value) : data_(std::move(value)) {}
inline Value::Value(std::string_view value) : data_(std::string(value)) {}
inline Value::Value(const char* value) : data_(std::string(value)) {}

// Parses one value; only white space and comments may follow. Empty text is null, as for fastjson.
// {"$ref":...} is an object like any other. Errors: JsonErrc, with the position in bytes.
Result<Value> parse(std::string_view text);

struct Style {
  // {"0":1} instead of {0:1}; object keys become strings of JSON.
  bool quote_integer_keys = false;
  // fastjson's PrettyFormat, as in config files: tabs, a line for each member with a string key and
  // each item.
  bool pretty = false;
  // With pretty: an array's items stay on one line, as those of a Java Set or of an array of
  // numbers do; those of a List get a line each.
  bool arrays_are_sets = false;
  // fastjson's BrowserCompatible: "\/" and \uXXXX for all that is not ASCII, integers beyond 2^53
  // as strings.
  bool escape_like_standard = false;
};
// The bodies of today's clients that want standard JSON (routes for versions from 4.9.4 on).
inline constexpr Style kStandard{.quote_integer_keys = true, .escape_like_standard = true};
inline constexpr Style kPretty{.pretty = true};
inline constexpr Style kPrettySets{.pretty = true, .arrays_are_sets = true};

// Members in the order they were set. A NaN or infinite double is written as null.
std::string write(const Value& value, Style style = {});

}  // namespace rmq::json
