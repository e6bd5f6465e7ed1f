#include "replication/broker_role.h"

namespace rmq::replication {

const char* to_string(Role role) {
  switch (role) {
    case Role::Waiting:
      return "waiting";
    case Role::Storing:
      return "storing";
    case Role::Master:
      return "master";
    case Role::Slave:
      return "slave";
    case Role::Failed:
      return "failed";
  }
  return "";
}

BrokerRole::BrokerRole(BrokerRoleConfig config, ReplicaId self, Epoch seen)
    : config_(config), self_(self), epoch_(seen) {}

std::optional<ReplicaId> BrokerRole::master() const {
  if (role_ != Role::Master && role_ != Role::Slave) return std::nullopt;
  return reign_->master;
}

RoleActions BrokerRole::on_registered(const ReignInfo& info) {
  registered_ = true;
  return on_reign(info);
}

RoleActions BrokerRole::on_reign(const ReignInfo& info) {
  RoleActions actions;
  if (role_ == Role::Failed || !registered_ || info.epoch < epoch_) return actions;
  if (info.epoch == epoch_) {
    on_same_epoch(actions, info);
    return actions;
  }
  leave(actions, "a newer reign");
  epoch_ = info.epoch;
  reign_ = info;
  store(actions, info.master == self_);
  return actions;
}

RoleActions BrokerRole::on_peer_epoch(Epoch epoch) {
  RoleActions actions;
  if (role_ == Role::Failed || epoch <= epoch_) return actions;
  leave(actions, "a replica knows a newer reign");
  epoch_ = epoch;
  reign_.reset();
  store(actions, false);
  actions.push_back(AskController{});
  return actions;
}

RoleActions BrokerRole::on_stored(Epoch epoch) {
  RoleActions actions;
  if (role_ != Role::Storing || epoch != epoch_) return actions;
  role_ = Role::Waiting;
  if (!reign_) return actions;
  if (begins_) {
    role_ = Role::Master;
    actions.push_back(BecomeMaster{*reign_});
  } else {
    on_known_reign(actions, *reign_);
  }
  return actions;
}

RoleActions BrokerRole::on_log_failed() {
  RoleActions actions;
  leave(actions, "the log cannot be written");
  role_ = Role::Failed;
  return actions;
}

RoleActions BrokerRole::tick(SteadyTime now) {
  RoleActions actions;
  if (role_ == Role::Failed || !registered_ || now < next_question_) return actions;
  const bool settled = role_ == Role::Master || role_ == Role::Slave;
  next_question_ = now + (settled ? config_.poll_interval : config_.ask_interval);
  may_ask_to_elect_ = true;
  actions.push_back(AskController{});
  return actions;
}

void BrokerRole::leave(RoleActions& actions, const char* why) {
  if (role_ == Role::Master) actions.push_back(EndReign{epoch_, why});
  if (role_ == Role::Slave) actions.push_back(StopFollowing{});
  role_ = Role::Waiting;
  // A question that was put off for long is due now.
  next_question_ = {};
  may_ask_to_elect_ = true;
}

void BrokerRole::store(RoleActions& actions, bool begins) {
  role_ = Role::Storing;
  begins_ = begins;
  actions.push_back(StoreReign{epoch_, begins});
}

void BrokerRole::on_same_epoch(RoleActions& actions, const ReignInfo& info) {
  switch (role_) {
    case Role::Failed:
      return;
    case Role::Master:
      // A record without a master, or one that names this broker: the reign goes on until a newer
      // one is seen.
      if (info.set_epoch < reign_->set_epoch) return;
      reign_ = info;
      reign_->master = self_;
      actions.push_back(UpdateSet{*reign_});
      return;
    case Role::Slave:
      if (info.master == reign_->master && info.master_address != reign_->master_address) {
        reign_ = info;
        actions.push_back(StopFollowing{});
        actions.push_back(Follow{*reign_});
      }
      return;
    case Role::Storing:
      // An own reign that begins starts with the set as it is known then. The first word of it is
      // that of the election, which knows who is dead.
      if (!reign_ || (info.master && info.set_epoch > reign_->set_epoch)) reign_ = info;
      return;
    case Role::Waiting:
      on_known_reign(actions, info);
      return;
  }
}

void BrokerRole::ask_to_elect(RoleActions& actions, std::optional<Epoch> over) {
  if (may_ask_to_elect_) actions.push_back(AskToElect{over});
  may_ask_to_elect_ = false;
}

// The epoch is on disk, and no reign of this process has begun in it.
void BrokerRole::on_known_reign(RoleActions& actions, const ReignInfo& info) {
  if (!info.master) {
    ask_to_elect(actions, std::nullopt);
  } else if (info.master == self_) {
    ask_to_elect(actions, epoch_);
  } else {
    reign_ = info;
    role_ = Role::Slave;
    actions.push_back(Follow{*reign_});
  }
}

}  // namespace rmq::replication
