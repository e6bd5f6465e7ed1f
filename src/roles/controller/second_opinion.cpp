// What the other controllers of the group say of a master that this one does not hear.
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "net/gather.h"
#include "protocol/controller.h"
#include "protocol/controller_body.h"
#include "roles/controller/controller.h"

namespace rmq::roles::controller {
namespace {

using protocol::ReplicaState;
using replication::ReplicaKey;

// One that answers later has no say: it may be gone together with the master.
constexpr std::chrono::milliseconds kPatience{200};

std::optional<bool> is_alive(const protocol::ReplicasOfSet& set, replication::ReplicaId id) {
  for (const auto* replicas : {&set.in_sync, &set.not_in_sync}) {
    const auto found = std::ranges::find(*replicas, id, &ReplicaState::id);
    if (found == replicas->end()) continue;
    return found->unheard ? std::nullopt : std::optional(found->alive);
  }
  return std::nullopt;
}

}  // namespace

// Nothing: it does not answer, or does not know it (yet).
net::Task<std::optional<bool>> Controller::ask_other(std::string address, ReplicaKey replica) {
  const std::string names = protocol::encode_broker_names({replica.first});
  protocol::Command request =
      protocol::make_request(protocol::RequestCode::ControllerGetSyncStateData,
                             protocol::ControllerGetSyncStateDataRequest{},
                             Bytes(as_bytes(names).begin(), as_bytes(names).end()));
  const Result<protocol::Command> answer =
      co_await client_.call(address, std::move(request), kPatience);
  if (!answer) co_return std::nullopt;
  const Result<protocol::ReplicasOfSets> sets = protocol::decode_replicas(as_text(answer->body));
  if (!sets) co_return std::nullopt;
  const auto set = sets->find(replica.first);
  if (set == sets->end()) co_return std::nullopt;
  co_return is_alive(set->second, replica.second);
}

// Whether at least as many controllers hear it as do not: somebody who is cut off from it alone
// must not replace it, and somebody whom alone it reaches must not keep it.
net::Task<bool> Controller::is_heard_by_others(ReplicaKey replica) {
  std::vector<std::function<net::Task<std::optional<bool>>()>> questions;
  for (const std::string& address : others_) {
    questions.emplace_back([this, address, replica] { return ask_other(address, replica); });
  }
  const std::vector<std::optional<bool>> answers =
      co_await net::gather(threads.control(), std::move(questions));
  const auto hear = std::ranges::count(answers, std::optional<bool>(true));
  const auto do_not = 1 + std::ranges::count(answers, std::optional<bool>(false));
  co_return hear >= do_not;
}

}  // namespace rmq::roles::controller
