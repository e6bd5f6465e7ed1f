// Frames: i32 length | i32 header word (type << 24 | header length) | header | body. See NettyDecoder.java.
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/command.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {

// Netty's limit counts the four length bytes too, so the largest legal length word is 4 less.
inline constexpr std::size_t kFrameBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kLengthBytes = 4;

// The whole size in bytes, length word included, of the frame that begins with `bytes`; nothing while fewer than
// 8 bytes are there. Errors: ProtocolErrc::FrameTooLarge, FrameMalformed (length below 4, header beyond the frame,
// unknown serialization type): the peer must be dropped. Judges by the first 8 bytes, so nothing is buffered in vain.
Result<std::optional<std::size_t>> frame_size(ByteView bytes);

// Parses one whole frame (as measured by frame_size) into `out`. Escaped JSON strings are unescaped in place.
// Errors: ProtocolErrc::FrameMalformed, HeaderMalformed: the peer must be dropped without an answer, as Java does.
Result<> parse_frame(MutableByteView frame, CommandView& out);

// Appends `command` as one frame to `out`.
void encode_frame(const Command& command, Bytes& out);

// Appends a response frame's head to `out`: everything but the body, of which `body_bytes` follow. `Fields` is any
// struct with header fields (header_fields.h) or NoFields. This is the path of send and pull answers: no allocation
// but growth of `out`.
struct ResponseHead {
  SerializeType type = SerializeType::Json;
  std::int32_t code = 0;
  std::int32_t opaque = 0;
  std::string_view remark;
  std::size_t body_bytes = 0;
};
// template <class Fields> void encode_response_head(const ResponseHead&, const Fields&, Bytes& out);  (header_fields.h)

}  // namespace rmq::protocol
