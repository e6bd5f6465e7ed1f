// Requests of administrators that make room on the disk.
// Threads: on_clean_unused_topic() on Lane::Disk; the rest any.
#pragma once

#include "net/service.h"
#include "protocol/topic.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

// DELETE_EXPIRED_COMMITLOG: files that are expired go soon, whatever the hour; the answer does not
// wait for it, as in Java.
Result<Response> on_delete_expired_commitlog(
    Broker& broker, const protocol::DeleteExpiredCommitlogRequest& request);
// CLEAN_EXPIRED_CONSUMEQUEUE: queues lose what the log loses anyway, so there is nothing to do.
Result<Response> on_clean_expired_consumequeue(
    Broker& broker, const protocol::CleanExpiredConsumequeueRequest& request);
// CLEAN_UNUSED_TOPIC: deletes the messages of topics that do not exist any more.
Result<Response> on_clean_unused_topic(Broker& broker,
                                       const protocol::CleanUnusedTopicRequest& request);

}  // namespace rmq::roles::broker
