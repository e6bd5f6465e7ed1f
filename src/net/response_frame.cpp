#include "net/response_frame.h"

#include <memory>
#include <utility>

#include "protocol/frame.h"

namespace rmq::net {

void write_response(Outbox& out, const Asked& asked, Response response) {
  if (asked.oneway) return;
  protocol::Command command;
  command.code = response.code;
  command.opaque = asked.opaque;
  command.type = asked.type;
  command.flag = protocol::kFlagResponse;
  command.remark = std::move(response.remark);
  command.fields = std::move(response.fields);
  command.body = std::move(response.body);
  protocol::encode_frame(command, out.tail());
}

}  // namespace rmq::net
