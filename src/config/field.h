// Field: how one setting is described: TOML key, RocketMQ key, where it goes, bounds, whether it
// may change while running, and one sentence for people. A constexpr tuple of fields lies beside
// each config struct (storage/store_config.cpp); bind() turns it into Rows for one object, from
// which files are loaded and docs/config.md is written.
//
//   constexpr std::tuple kStoreFields{
//       Field{"store.flush_interval_ms", "flushIntervalCommitLog", &StoreConfig::flush_interval,
//       1ms, 60'000ms,
//             Reload::Restart, "Longest time a message acknowledged under async flush may stay
//             unsynced."}};
//
// A member is a bool, an integer, a std::chrono duration or an enum (with the names of its values;
// each may be Live), or a string. Durations are written as integers in the member's own unit; the
// TOML key's last word says which. Threads: none of its own.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/live.h"
#include "base/result.h"
#include "config/config_errc.h"

namespace rmq::config {

// Live: a new value takes effect while running. Restart: at the next start.
enum class Reload { Live, Restart };
// What a value looks like in TOML. List: one string with ';' between the items, or an array of
// strings.
enum class Kind { Boolean, Integer, Text, List };

// One value of an enum and its name, which is RocketMQ's in both dialects.
template <class E>
struct Choice {
  E value;
  std::string_view name;
};

// Says what is wrong with a text, or nothing: "".
using TextCheck = std::string (*)(std::string_view);
std::string any_text(std::string_view text);
// An IPv4 or IPv6 address or a host name, without a port; empty is right too.
std::string host_or_empty(std::string_view text);
// "host:port[;host:port...]"; empty is right too.
std::string address_list(std::string_view text);

template <class T>
inline constexpr bool kIsDuration = false;
template <class R, class P>
inline constexpr bool kIsDuration<std::chrono::duration<R, P>> = true;
// What a member holds: the T of a Live<T>.
template <class T>
struct PlainOf {
  using Type = T;
};
template <class T>
struct PlainOf<Live<T>> {
  using Type = T;
};
template <class T>
using Plain = typename PlainOf<T>::Type;
template <class T>
concept Boolean = std::same_as < Plain<T>,
bool > ;
template <class T>
concept Number = (std::integral<Plain<T>> && !Boolean<T>) || kIsDuration<Plain<T>>;
template <class T>
concept Enumeration = std::is_enum_v<Plain<T>>;

template <class S, class M>
struct Field {
  std::string_view toml_key;
  std::string_view java_key;  // empty: a setting Java does not have
  M S::*member;
  Reload reload;
  std::string_view text;
  std::int64_t min = 0;  // of a number, in the member's unit
  std::int64_t max = 0;
  Kind kind = Kind::Text;
  TextCheck check = any_text;                 // of a string
  const Choice<Plain<M>>* choices = nullptr;  // of an enum
  std::size_t choice_count = 0;

  static constexpr std::int64_t plain(Plain<M> value) {
    if constexpr (kIsDuration<Plain<M>>) {
      return static_cast<std::int64_t>(value.count());
    } else {
      return static_cast<std::int64_t>(value);
    }
  }

  // A number.
  constexpr Field(std::string_view toml, std::string_view java, M S::*m, Plain<M> least,
                  Plain<M> most, Reload r, std::string_view t) requires Number<M>
      : toml_key(toml),
        java_key(java),
        member(m),
        reload(r),
        text(t),
        min(plain(least)),
        max(plain(most)),
        kind(Kind::Integer) {}
  // A bool.
  constexpr Field(std::string_view toml, std::string_view java, M S::*m, Reload r,
                  std::string_view t) requires Boolean<M>
      : toml_key(toml), java_key(java), member(m), reload(r), text(t), kind(Kind::Boolean) {}
  // A string.
  constexpr Field(std::string_view toml, std::string_view java, M S::*m, Kind k, TextCheck c,
                  Reload r, std::string_view t) requires std::same_as<M, std::string>
      : toml_key(toml), java_key(java), member(m), reload(r), text(t), kind(k), check(c) {}
  // An enum.
  template <std::size_t N>
  constexpr Field(std::string_view toml, std::string_view java, M S::*m,
                  const Choice<Plain<M>> (&c)[N], Reload r,
                  std::string_view t) requires Enumeration<M> : toml_key(toml),
                                                                java_key(java),
                                                                member(m),
                                                                reload(r),
                                                                text(t),
                                                                choices(c),
                                                                choice_count(N) {}
};

// A field bound to one object: what loading and documenting need, whatever the member's type.
struct Row {
  std::string_view toml_key;
  std::string_view java_key;
  Kind kind = Kind::Text;
  Reload reload = Reload::Restart;
  std::string_view text;
  std::string range;  // "1..60000", "ASYNC_FLUSH or SYNC_FLUSH"; empty: any
  // Errors: ConfigErrc::BadValue; the detail says value and range, the caller adds file and key.
  std::function<Result<>(std::string_view)> set;
  std::function<std::string()> get;
};

// The rows of one role. They point into the config struct they were bound to.
class Rows {
 public:
  void add(Row row) { rows_.push_back(std::move(row)); }
  void append(Rows other);
  const Row* find_toml(std::string_view key) const;
  const Row* find_java(std::string_view key) const;
  std::span<const Row> all() const { return rows_; }

 private:
  std::vector<Row> rows_;
};

// Parts of bind() that do not depend on the member's type.
Result<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max);
Result<bool> parse_boolean(std::string_view text);
std::string range_text(std::int64_t min, std::int64_t max);
tl::unexpected<Error> bad_value(std::string_view text, std::string_view expected);

template <class S, class M>
Row bind(S& object, const Field<S, M>& field) {
  Row row{.toml_key = field.toml_key,
          .java_key = field.java_key,
          .kind = field.kind,
          .reload = field.reload,
          .text = field.text,
          .range = {},
          .set = {},
          .get = {}};
  M& member = object.*field.member;
  if constexpr (Boolean<M>) {
    row.range = "true or false";
    row.set = [&member](std::string_view text) -> Result<> {
      RMQ_TRY(member, parse_boolean(text));
      return {};
    };
    row.get = [&member] { return std::string(member ? "true" : "false"); };
  } else if constexpr (Number<M>) {
    row.range = range_text(field.min, field.max);
    row.set = [&member, min = field.min, max = field.max](std::string_view text) -> Result<> {
      RMQ_TRY(const std::int64_t value, parse_integer(text, min, max));
      if constexpr (kIsDuration<Plain<M>>) {
        member = Plain<M>(static_cast<typename Plain<M>::rep>(value));
      } else {
        member = static_cast<Plain<M>>(value);
      }
      return {};
    };
    row.get = [&member] { return std::to_string(Field<S, M>::plain(member)); };
  } else if constexpr (Enumeration<M>) {
    const std::span<const Choice<Plain<M>>> choices(field.choices, field.choice_count);
    for (const Choice<Plain<M>>& choice : choices) {
      row.range += (row.range.empty() ? "" : " or ") + std::string(choice.name);
    }
    row.set = [&member, choices, range = row.range](std::string_view text) -> Result<> {
      for (const Choice<Plain<M>>& choice : choices) {
        if (choice.name != text) continue;
        member = choice.value;
        return {};
      }
      return bad_value(text, range);
    };
    row.get = [&member, choices] {
      for (const Choice<Plain<M>>& choice : choices) {
        if (choice.value == member) return std::string(choice.name);
      }
      return std::string();
    };
  } else {
    row.set = [&member, check = field.check](std::string_view text) -> Result<> {
      const std::string problem = check(text);
      if (!problem.empty()) return bad_value(text, problem);
      member = text;
      return {};
    };
    row.get = [&member] { return member; };
  }
  return row;
}

template <class S, class... F>
Rows bind(S& object, const std::tuple<F...>& fields) {
  Rows rows;
  std::apply([&](const auto&... field) { (rows.add(bind(object, field)), ...); }, fields);
  return rows;
}

}  // namespace rmq::config
