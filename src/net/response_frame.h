// From a Response to a frame in an Outbox.
#pragma once

#include "net/outbox.h"
#include "net/service.h"

namespace rmq::net {

// Appends `response` as one frame; nothing when the request was one-way.
void write_response(Outbox& out, const Asked& asked, Response response);

}  // namespace rmq::net
