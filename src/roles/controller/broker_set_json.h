// A broker set as JSON, for controller stores. Format, members in this order:
//   {"cluster":"c","name":"b","version":9,"nextId":3,"master":1,"epoch":2,"setEpoch":4,
//    "members":[1,2],"replicas":[{"id":1,"address":"10.0.0.1:10911","checkCode":"..."}]}
// Without a master there is no "master". Threads: none of its own.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "replication/broker_set.h"

namespace rmq::roles::controller {

json::Value to_json(const replication::BrokerSet& set);
// Everything must be there and fit together: a set that is read wrong could lose messages.
// Errors: ProtocolErrc::BodyMalformed, the detail says what is wrong.
Result<replication::BrokerSet> broker_set_from_json(const json::Value& value);

}  // namespace rmq::roles::controller
