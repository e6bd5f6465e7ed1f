// Why bytes are no message record, or a record that does not belong where it lies.
#pragma once

#include "base/errc.h"

#define RMQ_RECORD_ERRC(X)                                     \
  X(Unwritten, "nothing was written here")                     \
  X(Truncated, "record ends beyond the bytes at hand")         \
  X(SizeIllegal, "illegal record size")                        \
  X(MagicUnknown, "unknown magic")                             \
  X(LengthMismatch, "lengths inside the record do not add up") \
  X(ChecksumMismatch, "body checksum mismatch")                \
  X(OffsetMismatch, "record names another physical offset")    \
  X(TooLarge, "message part too large for a record")
RMQ_DEFINE_ERRC(rmq::protocol, RecordErrc, RMQ_RECORD_ERRC)
