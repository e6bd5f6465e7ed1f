// What a consumer tells an administrator about itself: the answers of GET_CONSUMER_RUNNING_INFO
// (307) and CONSUME_MESSAGE_DIRECTLY (309). Format: fastjson's JSON (ConsumerRunningInfo.java,
// ProcessQueueInfo.java, ConsumeMessageDirectlyResult.java). Threads: the consumer's own.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "client/group_consumer.h"

namespace rmq::client {

std::string encode_running_info(GroupConsumer& consumer, std::size_t threads);

struct DirectResult {
  bool orderly = false;
  const char* result = "CR_SUCCESS";
  std::string remark;
  std::chrono::milliseconds spent{0};
};
std::string encode_direct_result(const DirectResult& result);

}  // namespace rmq::client
