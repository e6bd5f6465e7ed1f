// What a controller answers when it refuses: RocketMQ's codes and remarks.
// Threads: none of its own.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "net/service.h"
#include "protocol/header_fields.h"
#include "replication/controller_errc.h"

namespace rmq::roles::controller {

net::Response refusal(replication::ControllerErrc why, std::string remark);
// With header fields, which some refusals have too.
template <class Fields>
net::Response refusal(replication::ControllerErrc why, std::string remark, const Fields& fields) {
  net::Response response = refusal(why, std::move(remark));
  protocol::append_fields(fields, response.fields);
  return response;
}

// Why a rule of src/replication refused. Any other error than a ControllerErrc is one of the store.
replication::ControllerErrc reason_of(const Error& error);
// The store could not be read or written: logs it, and says so.
net::Response store_failed(const Error& error);

}  // namespace rmq::roles::controller
