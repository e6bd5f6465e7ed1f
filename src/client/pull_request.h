// PULL_MESSAGE (11) and what its answer says. The subscription travels in the request, so that a
// broker that has just started, or has not heard of the group, knows it. Threads: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/message.h"
#include "protocol/client_body.h"
#include "protocol/command.h"

namespace rmq::client {

// How much later than asked a broker may answer a pull that it held: it looks only now and then.
inline constexpr std::chrono::seconds kHoldSlack{5};

enum class PullStatus { Found, NothingNew, NothingMatched, OffsetMoved };

struct PullResult {
  PullStatus status = PullStatus::NothingNew;
  std::vector<ReceivedMessage> messages;  // those whose tag is wanted
  QueueOffset next;     // where to go on; with OffsetMoved: the nearest offset that exists
  QueueOffset min;      // first offset that the queue still has
  QueueOffset max;      // one past its last
  std::string address;  // who answered
  std::int64_t suggested_broker_id = 0;  // the replica to ask next
};

protocol::Command make_pull_request(const std::string& group, const MessageQueue& queue,
                                    QueueOffset from, std::int32_t messages_max,
                                    const protocol::SubscriptionData& subscription,
                                    std::chrono::milliseconds hold);
// Errors: what the broker refused with; ClientErrc::AnswerMalformed.
Result<PullResult> parse_pull_answer(const protocol::Command& answer, const MessageQueue& queue,
                                     const protocol::SubscriptionData& subscription,
                                     const std::string& address);

// A group's wish for one topic. Errors: ProtocolErrc::FieldMalformed for tags that do not parse.
Result<protocol::SubscriptionData> make_subscription(std::string topic, std::string expression,
                                                     std::string expression_type,
                                                     std::int64_t version);

}  // namespace rmq::client
