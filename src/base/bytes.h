// Bytes and big-endian access to them. All integers of RocketMQ, on the wire and on disk, are
// big-endian.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/assert.h"

namespace rmq {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The integer of type T at `from`, which must have sizeof(T) bytes.
template <class T>
T load_big_endian(const std::byte* from) {
  static_assert(std::is_integral_v<T>);
  using U = std::make_unsigned_t<T>;
  U value;
  std::memcpy(&value, from, sizeof(U));
  if constexpr (sizeof(U) == 8) return static_cast<T>(__builtin_bswap64(value));
  if constexpr (sizeof(U) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(U) == 2) return static_cast<T>(__builtin_bswap16(value));
  return static_cast<T>(value);
}
template <class T>
void store_big_endian(std::byte* to, T number) {
  static_assert(std::is_integral_v<T>);
  using U = std::make_unsigned_t<T>;
  U value = static_cast<U>(number);
  if constexpr (sizeof(U) == 8) value = __builtin_bswap64(value);
  if constexpr (sizeof(U) == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof(U) == 2) value = __builtin_bswap16(value);
  std::memcpy(to, &value, sizeof(U));
}

// Reads a view front to back. Reading past the end sets failed() and yields zeros and empty views,
// so a decoder may read a whole struct and check once.
class BigEndianReader {
 public:
  explicit BigEndianReader(ByteView bytes) : bytes_(bytes) {}

  template <class T>
  T read() {
    if (remaining() < sizeof(T)) {
      fail();
      return T{};
    }
    T value = load_big_endian<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }
  ByteView read_bytes(std::size_t count) {
    if (remaining() < count) {
      fail();
      return {};
    }
    ByteView view = bytes_.subspan(at_, count);
    at_ += count;
    return view;
  }
  void skip(std::size_t count) { (void)read_bytes(count); }

  std::size_t position() const { return at_; }
  std::size_t remaining() const { return bytes_.size() - at_; }
  bool failed() const { return failed_; }

 private:
  void fail() {
    failed_ = true;
    at_ = bytes_.size();
  }

  ByteView bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// Appends to a Bytes that the caller owns and that outlives the writer.
class BigEndianWriter {
 public:
  explicit BigEndianWriter(Bytes& out) : out_(out) {}

  template <class T>
  void write(T value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof(T));
    store_big_endian(out_.data() + at, value);
  }
  void write_bytes(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void write_text(std::string_view text) { write_bytes(as_bytes(text)); }
  // Overwrites what was written at `at`, e.g. a length known only later.
  template <class T>
  void patch(std::size_t at, T value) {
    RMQ_ASSERT(at + sizeof(T) <= out_.size());
    store_big_endian(out_.data() + at, value);
  }
  std::size_t position() const { return out_.size(); }

 private:
  Bytes& out_;
};

}  // namespace rmq
