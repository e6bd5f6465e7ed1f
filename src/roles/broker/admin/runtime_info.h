// GET_BROKER_RUNTIME_INFO: the state of a broker as texts by name, for people and tools. Names and
// formats are Java's (AdminBrokerProcessor.prepareRuntimeInfo); what this broker does not measure
// is left out. Threads: the control thread.
#pragma once

#include <cstdint>
#include <string>

#include "net/service.h"
#include "protocol/topic.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

Result<Response> on_get_broker_runtime_info(Broker& broker, const Caller& caller,
                                            const protocol::GetBrokerRuntimeInfoRequest& request);

// "0 B", "1.5 KiB", "251.0 GiB": MixAll.humanReadableByteCount.
std::string readable_bytes(std::int64_t bytes);
// "[ 0 days, 1 hours, 2 minutes, 3 seconds ]"
std::string readable_duration(std::int64_t milliseconds);

}  // namespace rmq::roles::broker
