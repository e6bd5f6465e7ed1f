// StoringBroker: a broker for FakeCluster that stores sends and keeps them for the test, takes
// heartbeats, and falls silent when told.
// Lifetime: it outlives the cluster.
// Threads: its functions any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "protocol/client_body.h"
#include "protocol/send.h"
#include "tests/support/fake_server.h"

namespace rmq::test {

class StoringBroker {
 public:
  FakeServer::Answer answer() {
    return [this](const protocol::CommandView& request) { return on_request(request); };
  }

  // From now on: takes what comes and never answers, as a stopped process does.
  void hang(bool hangs) {
    MutexLock lock(mutex_);
    hangs_ = hangs;
  }
  std::map<std::int32_t, int> sends_by_queue() {
    MutexLock lock(mutex_);
    std::map<std::int32_t, int> counts;
    for (const auto& [queue, request] : sends_) ++counts[queue];
    return counts;
  }
  // Sends that came, answered or not.
  std::size_t sends() {
    MutexLock lock(mutex_);
    return sends_.size();
  }
  std::vector<protocol::Command> requests() {
    MutexLock lock(mutex_);
    std::vector<protocol::Command> requests;
    for (const auto& [queue, request] : sends_) requests.push_back(request);
    return requests;
  }
  std::vector<protocol::HeartbeatData> heartbeats() {
    MutexLock lock(mutex_);
    return heartbeats_;
  }

 private:
  std::optional<net::Response> on_request(const protocol::CommandView& request) {
    MutexLock lock(mutex_);
    const auto code = static_cast<protocol::RequestCode>(request.code);
    if (code == protocol::RequestCode::HeartBeat) {
      const auto data = protocol::decode_heartbeat(as_text(request.body));
      if (data) heartbeats_.push_back(*data);
    }
    if (code != protocol::RequestCode::SendMessageV2 &&
        code != protocol::RequestCode::SendBatchMessage) {
      return hangs_ ? std::nullopt : std::optional<net::Response>(net::Response{});
    }
    const auto header = protocol::decode_fields<protocol::SendMessageRequest>(request);
    if (!header) return refuse(1, header.error().message());
    sends_.emplace_back(header->queue_id, protocol::Command(request));
    if (hangs_) return std::nullopt;
    protocol::SendMessageResponse response;
    response.msg_id = "0A00000700002A9F0000000000000159";
    response.queue_id = header->queue_id;
    response.queue_offset = QueueOffset{42};
    return respond(response);
  }

  Mutex mutex_;
  bool hangs_ RMQ_GUARDED_BY(mutex_) = false;
  std::vector<std::pair<std::int32_t, protocol::Command>> sends_ RMQ_GUARDED_BY(mutex_);
  std::vector<protocol::HeartbeatData> heartbeats_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::test
