// The binary form of a header (RocketMQSerializable.java), big-endian:
//   0 i16 code | 2 i8 language | 3 i16 version | 5 i32 opaque | 9 i32 flag | 13 i32 length + remark
//   | i32 length of all ext fields | for each: i16 length + key, i32 length + value
// Code and version are 16 bits wide, so codes from 32768 on (POP) do not survive. An empty value
// reads as absent. Writing is head_writer.h.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/command.h"

namespace rmq::protocol {

// Fills all of `out` but type and body. Errors: ProtocolErrc::HeaderMalformed when a length leads
// out of the header.
Result<> parse_binary_header(ByteView header, CommandView& out);

}  // namespace rmq::protocol
