// ReadRequest and ReadResult: a pull as the store sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/units.h"
#include "protocol/tag_filter.h"
#include "storage/may_wait.h"

namespace rmq::storage {

// Records of the log, or a copy of them; the pin keeps them there.
struct RecordSpan {
  ByteView bytes;
  std::shared_ptr<const void> pin;
};

enum class ReadStatus {  // GetMessageStatus.java
  Found,
  NoMatchedMessage,
  MessageWasRemoving,
  OffsetFoundNull,
  OffsetOverflowOne,
  OffsetOverflowBadly,
  OffsetTooSmall,
  NoMessageInQueue,
  NoMatchedLogicQueue
};

struct ReadRequest {
  std::string_view topic;
  QueueId queue_id = 0;
  QueueOffset from;
  std::size_t count_max = 32;
  // What may pass; null: everything. Judged by hash in the consume queue, so collisions pass.
  const protocol::TagFilter* tags = nullptr;
  MayWait may_wait = MayWait::Yes;
};

struct ReadResult {
  ReadStatus status = ReadStatus::NoMessageInQueue;
  QueueOffset next;  // nextBeginOffset
  QueueOffset min;
  QueueOffset end;                  // one past the last visible message
  std::vector<RecordSpan> records;  // in order; adjacent records of the log may be one span
  std::size_t message_count = 0;
  std::size_t bytes = 0;
  bool behind_memory = false;  // further behind the log end than accessMessageInMemoryMaxRatio
};

}  // namespace rmq::storage
