#include "base/json.h"

#include <charconv>

#include "base/assert.h"
#include "base/json_scanner.h"
#include "base/text.h"

namespace rmq::json {
namespace {

// The whole of `text` as an integer.
std::optional<std::int64_t> to_int(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> to_double(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Truncated towards zero; nothing when an int64 cannot hold it.
std::optional<std::int64_t> truncate(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!(value >= -kLimit && value < kLimit)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), scanner_(text) {}

  Result<Value> parse_text() {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") scanner_ = Scanner(text_.substr(3));
    if (!scanner_.skip_space()) return malformed("comment without end");
    if (scanner_.at_end()) return Value();
    RMQ_TRY(Value value, parse_value(0));
    if (!scanner_.skip_space() || !scanner_.at_end()) return malformed("text after the value");
    return value;
  }

 private:
  tl::unexpected<Error> malformed(std::string_view what) const {
    return fail(JsonErrc::Malformed,
                std::string(what) + " at byte " + std::to_string(scanner_.at() - text_.data()));
  }

  Result<Value> parse_value(int depth) {
    if (!scanner_.skip_space()) return malformed("comment without end");
    if (scanner_.peek() == '{') return parse_object(depth);
    if (scanner_.peek() == '[') return parse_array(depth);
    if (scanner_.is_quote()) return parse_string();
    if (scanner_.is_number_start()) return parse_number();
    return parse_word();
  }

  Result<Value> parse_string() {
    const std::optional<RawString> raw = scanner_.string();
    if (!raw) return malformed("string without end");
    std::string text(raw->text);
    if (raw->escaped) {
      const std::optional<std::size_t> size = unescape(text.data(), text.size());
      if (!size) return malformed("unknown escape before");
      text.resize(*size);
    }
    return Value(std::move(text));
  }

  Result<Value> parse_number() {
    const std::string_view text = scanner_.number();
    if (const auto integer = to_int(text)) return Value(*integer);
    if (const auto number = to_double(text)) return Value(*number);
    return malformed("malformed number before");
  }

  Result<Value> parse_word() {
    const std::string_view word = scanner_.word();
    if (word == "true") return Value(true);
    if (word == "false") return Value(false);
    if (word == "null" || word == "NaN" || word == "undefined") return Value();
    return malformed("a value expected");
  }

  Result<Value> parse_array(int depth) {
    if (depth >= kDepthMax) return fail(JsonErrc::TooDeep);
    scanner_.take('[');
    Value array = Value::array();
    for (;;) {
      if (!scanner_.skip_space_and_commas()) return malformed("comment without end");
      if (scanner_.take(']')) return array;
      RMQ_TRY(Value item, parse_value(depth + 1));
      array.push_back(std::move(item));
      if (!scanner_.skip_space()) return malformed("comment without end");
      if (scanner_.peek() != ',' && scanner_.peek() != ']') return malformed("',' or ']' expected");
    }
  }

  Result<Value> parse_key(int depth) {
    if (scanner_.peek() == '{' || scanner_.peek() == '[') return parse_value(depth);
    if (scanner_.is_quote()) return parse_string();
    if (scanner_.is_number_start()) {
      const std::string_view text = scanner_.number();
      if (const auto integer = to_int(text)) return Value(*integer);
      return Value(text);
    }
    const std::string_view word = scanner_.word();
    if (word.empty()) return malformed("a key expected");
    return Value(word);
  }

  Result<Value> parse_object(int depth) {
    if (depth >= kDepthMax) return fail(JsonErrc::TooDeep);
    scanner_.take('{');
    Value object = Value::object();
    for (;;) {
      if (!scanner_.skip_space_and_commas()) return malformed("comment without end");
      if (scanner_.take('}')) return object;
      RMQ_TRY(Value key, parse_key(depth + 1));
      if (!scanner_.skip_space() || !scanner_.take(':')) return malformed("':' expected");
      RMQ_TRY(Value value, parse_value(depth + 1));
      object.set_object_key(std::move(key), std::move(value));
      if (!scanner_.skip_space()) return malformed("comment without end");
      if (scanner_.peek() != ',' && scanner_.peek() != '}') return malformed("',' or '}' expected");
    }
  }

  std::string_view text_;
  Scanner scanner_;
};

}  // namespace

Value Value::object() {
  Value value;
  value.data_.emplace<std::vector<Member>>();
  return value;
}

Value Value::array() {
  Value value;
  value.data_.emplace<std::vector<Value>>();
  return value;
}

Value& Value::set(std::string_view key, Value value) {
  return set_object_key(Value(key), std::move(value));
}

Value& Value::set_integer_key(std::int64_t key, Value value) {
  return set_object_key(Value(key), std::move(value));
}

Value& Value::set_object_key(Value key, Value value) {
  auto* members = std::get_if<std::vector<Member>>(&data_);
  RMQ_ASSERT(members != nullptr);
  members->push_back(Member{std::move(key), std::move(value)});
  return *this;
}

Value& Value::push_back(Value value) {
  auto* items = std::get_if<std::vector<Value>>(&data_);
  RMQ_ASSERT(items != nullptr);
  items->push_back(std::move(value));
  return *this;
}

const Value* Value::find(std::string_view key) const {
  const std::optional<std::int64_t> number = to_int(key);
  const std::vector<Member>& all = members();
  for (auto member = all.rbegin(); member != all.rend(); ++member) {
    if (member->key.is_string()) {
      if (member->key.string() == key) return &member->value;
    } else if (number && member->key.kind() == Kind::Int && member->key.as_int() == number) {
      return &member->value;
    }
  }
  return nullptr;
}

const std::vector<Member>& Value::members() const {
  static const std::vector<Member> kNone;
  const auto* members = std::get_if<std::vector<Member>>(&data_);
  return members != nullptr ? *members : kNone;
}

const std::vector<Value>& Value::items() const {
  static const std::vector<Value> kNone;
  const auto* items = std::get_if<std::vector<Value>>(&data_);
  return items != nullptr ? *items : kNone;
}

std::string_view Value::string() const {
  const auto* text = std::get_if<std::string>(&data_);
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

std::optional<std::int64_t> Value::as_int() const {
  switch (kind()) {
    case Kind::Bool:
      return std::get<bool>(data_) ? 1 : 0;
    case Kind::Int:
      return std::get<std::int64_t>(data_);
    case Kind::Double:
      return truncate(std::get<double>(data_));
    case Kind::String: {
      if (const auto integer = to_int(string())) return integer;
      const auto number = to_double(string());
      return number ? truncate(*number) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> Value::as_double() const {
  switch (kind()) {
    case Kind::Int:
      return static_cast<double>(std::get<std::int64_t>(data_));
    case Kind::Double:
      return std::get<double>(data_);
    case Kind::String:
      return to_double(string());
    default:
      return std::nullopt;
  }
}

std::optional<bool> Value::as_bool() const {
  switch (kind()) {
    case Kind::Bool:
      return std::get<bool>(data_);
    case Kind::Int:
      return std::get<std::int64_t>(data_) == 1;
    case Kind::Double:
      return std::get<double>(data_) == 1;
    case Kind::String:
      if (equals_ignoring_case(string(), "true") || string() == "1") return true;
      if (equals_ignoring_case(string(), "false") || string() == "0") return false;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<std::string> Value::as_text() const {
  switch (kind()) {
    case Kind::Bool:
    case Kind::Int:
    case Kind::Double:
      return write(*this);
    case Kind::String:
      return std::get<std::string>(data_);
    default:
      return std::nullopt;
  }
}

std::int64_t Value::int_or(std::string_view key, std::int64_t otherwise) const {
  const Value* value = find(key);
  return value != nullptr ? value->as_int().value_or(otherwise) : otherwise;
}

double Value::double_or(std::string_view key, double otherwise) const {
  const Value* value = find(key);
  return value != nullptr ? value->as_double().value_or(otherwise) : otherwise;
}

bool Value::bool_or(std::string_view key, bool otherwise) const {
  const Value* value = find(key);
  return value != nullptr ? value->as_bool().value_or(otherwise) : otherwise;
}

std::string Value::text_or(std::string_view key, std::string_view otherwise) const {
  const Value* value = find(key);
  if (value != nullptr) {
    if (std::optional<std::string> text = value->as_text()) return *std::move(text);
  }
  return std::string(otherwise);
}

bool operator==(const Value& a, const Value& b) { return a.data_ == b.data_; }

std::string Member::key_text() const {
  return key.is_string() ? std::string(key.string()) : write(key);
}

Value Member::key_object() const {
  if (key.is_object()) return key;
  if (key.is_string()) {
    Result<Value> parsed = parse(key.string());
    if (parsed && parsed->is_object()) return *std::move(parsed);
  }
  return Value();
}

Result<Value> parse(std::string_view text) { return Parser(text).parse_text(); }

}  // namespace rmq::json
