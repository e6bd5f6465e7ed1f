// Requests that look for single messages: by key, and by the place in the log that an offset
// message id names. Follows QueryMessageProcessor.java.
// Threads: Lane::Disk, because what is looked for is often cold.
#pragma once

#include "net/service.h"
#include "protocol/view.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// QUERY_MESSAGE: the newest messages with a key, unique or not, stored within a time range, as
// records one behind the other in log order. Code: QUERY_NOT_FOUND (22).
Result<Response> on_query_message(Broker& broker, const protocol::QueryMessageRequest& request);
// VIEW_MESSAGE_BY_ID: the record at a place in the log. Code: SYSTEM_ERROR (1) when none begins
// there.
Result<Response> on_view_message_by_id(Broker& broker,
                                       const protocol::ViewMessageByIdRequest& request);

}  // namespace rmq::roles::broker
