// ProtocolErrc: why bytes are not what they should be.
#pragma once

#include "base/errc.h"

#define RMQ_PROTOCOL_ERRC(X)                     \
  X(FrameTooLarge, "frame too large")            \
  X(FrameMalformed, "malformed frame")           \
  X(HeaderMalformed, "malformed header")         \
  X(FieldMissing, "missing header field")        \
  X(FieldMalformed, "malformed header field")    \
  X(BodyMalformed, "malformed body")             \
  X(RecordMalformed, "malformed message record") \
  X(Truncated, "truncated")                      \
  X(ChecksumMismatch, "checksum mismatch")
RMQ_DEFINE_ERRC(rmq::protocol, ProtocolErrc, RMQ_PROTOCOL_ERRC)
