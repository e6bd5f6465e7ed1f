// Frames: i32 length | i32 header word (type << 24 | header length) | header | body. See
// NettyDecoder.java.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/command.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {

// Netty's limit counts the four length bytes too, so the largest legal length word is 4 less.
inline constexpr std::size_t kFrameBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kLengthBytes = 4;

// The whole size in bytes, length word included, of the frame that begins with `bytes`; nothing
// while fewer than 8 bytes are there. Errors: ProtocolErrc::FrameTooLarge, FrameMalformed (length
// below 4, header beyond the frame, unknown serialization type): the peer must be dropped. Judges
// by the first 8 bytes, so nothing is buffered in vain.
Result<std::optional<std::size_t>> frame_size(ByteView bytes);

// Parses one whole frame (as measured by frame_size) into `out`. Escaped JSON strings are unescaped
// in place. Errors: ProtocolErrc::FrameMalformed, HeaderMalformed: the peer must be dropped without
// an answer, as Java does.
Result<> parse_frame(MutableByteView frame, CommandView& out);

// Appends `command` as one frame to `out`. False when it does not fit into one (header below 2^24
// bytes, all below kFrameBytesMax): then a response is replaced by a SYSTEM_ERROR with the same
// opaque, a request is not written at all. A remark is cut after kRemarkBytesMax. A binary header
// keeps the low 16 bits of code and version only, as in Java.
bool encode_frame(const Command& command, Bytes& out);
inline constexpr std::size_t kRemarkBytesMax = 32 * 1024;

// The head of a response frame: everything but the body, of which `body_bytes` follow. Encoded by
// encode_response_head(head, fields, out) in header_fields.h, where `fields` is any header struct
// or NoFields{}: the path of send and pull answers, no allocation but growth of `out`. False, and
// nothing written, when head and body do not fit into a frame. The language is CPP, which no client
// looks at; ext fields are there even when empty, because the Java client reads those of some
// answers without a look whether there are any.
struct ResponseHead {
  SerializeType type = SerializeType::Json;  // that of the request: the C++ client reads JSON only
  std::int32_t code = 0;
  std::int32_t opaque = 0;
  std::string_view remark{};
  std::size_t body_bytes = 0;
};

}  // namespace rmq::protocol
