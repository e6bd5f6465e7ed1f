// The text of RocketMQ's `epochFileCheckpoint` (CheckpointFile.java): the number of entries, the
// CRC-32 of the entries' lines (0: not to be checked), then one line "epoch-start" per entry.
// Bytes only: whoever writes the file replaces it atomically and syncs it before the first record
// of the epoch. RocketMQ writes no file without entries; such a text says 0 entries here.
// Threads: pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "replication/epoch_history.h"

namespace rmq::replication {

// The sum as RocketMQ takes it (UtilAll.crc32: the lower 31 bits). It comes from outside, because
// the library for it is not the base module's.
using TextCrc32 = std::function<std::int32_t(std::string_view)>;

std::string encode_epochs(const EpochHistory& history, const TextCrc32& crc32);

// Errors: Malformed when the text is not whole or its sum is wrong, EpochsOutOfOrder.
Result<EpochHistory> decode_epochs(std::string_view text, const TextCrc32& crc32);

}  // namespace rmq::replication
