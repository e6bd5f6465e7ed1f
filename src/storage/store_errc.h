// Why the store refused or failed. Errors of the operating system travel as errno instead, or in
// the detail of ReadOnly.
#pragma once

#include "base/errc.h"

#define RMQ_STORE_ERRC(X)                                        \
  X(OffsetOutOfRange, "offset out of range")                     \
  X(NotInMemory, "not in memory")                                \
  X(RecordMalformed, "no valid record there")                    \
  X(RecordTooLarge, "too large for a segment of the commit log") \
  X(Stopped, "the store is stopped")                             \
  X(Following, "the store takes messages from its master only")  \
  X(NoReign, "the store neither leads nor follows now")          \
  X(Truncating, "the log is being cut, try again")               \
  X(DivergedTooLong, "more of the log diverged than is kept")    \
  X(ReadOnly, "the store takes no more writes")                  \
  X(DiskFull, "the disk is full")                                \
  X(InUse, "another process has the store open")                 \
  X(WrongFileSize, "file has the wrong size")                    \
  X(WrongFileName, "file does not belong in a store")            \
  X(NotSupported, "a kind of store that cannot be read")         \
  X(Corrupt, "the store is damaged")
RMQ_DEFINE_ERRC(rmq::storage, StoreErrc, RMQ_STORE_ERRC)
