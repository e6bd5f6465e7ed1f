// Compression of message bodies, as RocketMQ's producers and consumers do it: zlib (RFC 1950), LZ4
// frames, zstd. The kind is in bits 0x700 of sysFlag, valid with bit 0x1; senders before 5.0 leave
// them 0 and mean zlib. Threads: free functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace rmq::client {

// Values of protocol::kSysFlagCompressionMask.
inline constexpr std::int32_t kCompressionLz4 = 0x100;
inline constexpr std::int32_t kCompressionZstd = 0x200;
inline constexpr std::int32_t kCompressionZlib = 0x300;

// `body` in zlib's format at Java's level, or nothing when that is not shorter.
std::optional<Bytes> compress_zlib(ByteView body);

// The body as its producer wrote it; a copy when `sys_flag` says that it is not compressed.
// Errors: ClientErrc::BodyMalformed, also when it would grow beyond `bytes_max`.
Result<Bytes> decompress_body(ByteView body, std::int32_t sys_flag, std::size_t bytes_max);

}  // namespace rmq::client
