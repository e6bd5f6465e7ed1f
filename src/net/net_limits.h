// Every limit of this module, by name.
#pragma once

#include <chrono>
#include <cstddef>

namespace rmq::net {

// What one read turn takes at most.
inline constexpr std::size_t kReadScratchBytes = 256 * 1024;
// An incomplete frame up to this size is free; larger ones count against the budget of the process.
inline constexpr std::size_t kPartialFreeBytes = 4 * 1024;
// All incomplete frames of a process together; a single larger frame may pass when it is the only
// one.
inline constexpr std::size_t kPartialBudgetBytes = 12 * 1024 * 1024;
// An incomplete frame grows at least by this.
inline constexpr std::size_t kPartialStepBytes = 512;
// While the budget is exhausted, frames that take longer than this lose their connection.
inline constexpr std::chrono::seconds kPartialPatience{5};
// Nothing read and nothing written for this long: closed, as in Java
// (serverChannelMaxIdleTimeSeconds).
inline constexpr std::chrono::seconds kIdleMax{120};
// Reading stops above the first, and starts again below the second.
inline constexpr std::size_t kOutboxHighBytes = 512 * 1024;
inline constexpr std::size_t kOutboxLowBytes = 128 * 1024;
// Requests of one connection that wait for an answer (sends for a flush, control requests).
inline constexpr std::size_t kPendingMax = 512;
// Bodies up to this size are copied behind their head; larger ones are sent from where they lie.
inline constexpr std::size_t kCopyBodyBytes = 4 * 1024;
// A chunk of copied frames.
inline constexpr std::size_t kChunkBytes = 16 * 1024;
// Chunks that an io thread keeps for reuse.
inline constexpr std::size_t kChunksKept = 64;
// Asio passes at most this many buffers in one call.
inline constexpr std::size_t kBuffersMax = 64;
inline constexpr int kListenBacklog = 1024;

}  // namespace rmq::net
