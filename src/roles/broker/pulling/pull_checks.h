// What a pull must pass, in Java's order (PullMessageProcessor.java#processRequest), and what it
// then needs to know. Threads: data threads.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "net/connection.h"
#include "protocol/command.h"
#include "protocol/pull.h"
#include "protocol/tag_filter.h"

namespace rmq::roles::broker {

class Broker;

// A client may not park a pull for longer: Java's clients give up after 30 s.
inline constexpr std::int64_t kSuspendMaxMs = 60'000;

struct PullPlan {
  std::shared_ptr<const protocol::TagFilter> tags;  // null: every tag
  std::int32_t topic_sys_flag = 0;
  std::int32_t group_sys_flag = 0;
  std::int64_t broker_id = 0;         // where the group should read
  std::int64_t broker_when_slow = 0;  // where it should read what is no longer in memory
};

// Errors: a ResponseCode with Java's remark.
Result<PullPlan> plan_pull(Broker& broker, net::Connection& connection,
                           const protocol::PullMessageRequest& request,
                           const protocol::CommandView& command);

}  // namespace rmq::roles::broker
