// HostAddress: an IP address and port as RocketMQ stores them: 4 or 16 address bytes, then the port
// as i32. A value without memory of its own, cheap to copy.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"

namespace rmq::protocol {

inline constexpr std::size_t kHostBytesMin = 4 + 4;
inline constexpr std::size_t kHostBytesMax = 16 + 4;

class HostAddress {
 public:
  // 0.0.0.0:0
  constexpr HostAddress() = default;
  // `ip` has 4 or 16 bytes. The port is an i32 in the record: a peer may have stored anything
  // there.
  HostAddress(ByteView ip, std::int32_t port)
      : size_(static_cast<std::uint8_t>(ip.size())), port_(port) {
    RMQ_ASSERT(ip.size() == 4 || ip.size() == 16);
    std::copy(ip.begin(), ip.end(), ip_.begin());
  }

  ByteView ip() const { return {ip_.data(), size_}; }
  std::int32_t port() const { return port_; }
  bool is_v6() const { return size_ == 16; }
  // What write() writes: 8 or 20.
  std::size_t encoded_bytes() const { return size_ + sizeof(port_); }
  // Writes encoded_bytes() to `to` and returns one past them.
  std::byte* write(std::byte* to) const {
    to = std::copy_n(ip_.begin(), size_, to);
    store_big_endian(to, port_);
    return to + sizeof(port_);
  }

  // The bytes of an IPv4 address behind its own size are always zero.
  friend bool operator==(const HostAddress&, const HostAddress&) = default;

 private:
  std::array<std::byte, 16> ip_{};
  std::uint8_t size_ = 4;
  std::int32_t port_ = 0;
};

}  // namespace rmq::protocol
