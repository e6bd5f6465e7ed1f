#include "roles/controller/controller.h"

#include <utility>

#include "base/log.h"
#include "protocol/controller.h"
#include "protocol/controller_body.h"

namespace rmq::roles::controller {
namespace {

using replication::BrokerSet;
using replication::ReignInfo;
using replication::ReplicaId;
using replication::ReplicaIds;
using replication::ReplicaKey;

constexpr std::chrono::milliseconds kNoticeTimeout{3'000};
constexpr std::chrono::milliseconds kClosePatience{3'000};

net::Task<> notify(net::RpcClient& client, std::string address, protocol::Command notice) {
  const Result<> sent = co_await client.send_oneway(address, std::move(notice), kNoticeTimeout);
  if (!sent) {
    log::warn("controller", "broker not told of its set; it asks by itself within seconds",
              kv("address", address), kv("why", sent.error().message()));
  }
}

protocol::Command notice_of(const ReignInfo& reign) {
  const std::string dead = protocol::join_ids({reign.dead.begin(), reign.dead.end()}, ',');
  const protocol::NotifyBrokerRoleChangedRequest header{
      .master_address = reign.master_address,
      .master_epoch = reign.epoch.value,
      .sync_state_set_epoch = reign.set_epoch.value,
      .master_broker_id = reign.master,
      .dead = dead};
  const std::string body = protocol::encode_sync_state_set(
      {.ids = {reign.members.begin(), reign.members.end()}, .epoch = reign.set_epoch.value});
  const ByteView bytes = as_bytes(body);
  return protocol::make_request(RequestCode::NotifyBrokerRoleChanged, header,
                                Bytes(bytes.begin(), bytes.end()));
}

}  // namespace

Controller::Controller(net::IoThreads& io, ControllerConfig settings, Clock& clock,
                       std::unique_ptr<ControllerStore> store)
    : threads(io),
      config(std::move(settings)),
      clock_(clock),
      store_(std::move(store)),
      service_(*this),
      server_(io, service_),
      client_(io) {}

Result<> Controller::start() {
  RMQ_CHECK(store_->open());
  std::function<net::Task<Result<std::vector<BrokerSet>>>()> list = [this] {
    return store_->list();
  };
  RMQ_TRY(const std::vector<BrokerSet> sets,
          net::run_blocking<Result<std::vector<BrokerSet>>>(threads.control(), std::move(list)));
  for (const BrokerSet& set : sets) saw(set);
  RMQ_CHECK(server_.listen(config.listen_address, config.listen_port));
  RMQ_TRY(const std::vector<Peer> peers, parse_peers(config.peers));
  for (const Peer& peer : peers) {
    if (peer.id == config.self_id) {
      address_ = peer.address();
    } else {
      others_.push_back(peer.address());
    }
  }
  if (address_.empty()) {
    const std::string& host =
        config.advertised_host.empty() ? config.listen_address : config.advertised_host;
    address_ = host + ":" + std::to_string(port());
  }
  liveness_.emplace(config.first_heartbeat_timeout, now());
  std::function<net::Task<>()> loop = [this] { return tick_loop(); };
  net::spawn(threads.control(), "controller tick", std::move(loop));
  if (store_->is_shared()) {
    std::function<net::Task<>()> refresh = [this] { return refresh_loop(); };
    net::spawn(threads.control(), "controller refresh", std::move(refresh));
  }
  server_.start_accepting();
  log::info("controller", "controller started", kv("address", address_), kv("port", port()),
            kv("broker_sets", sets.size()));
  return {};
}

void Controller::stop() {
  stopping_.set();
  server_.stop_accepting();
  server_.close_connections(kClosePatience);
}

net::Task<Result<bool>> Controller::remove(std::string name, std::uint64_t version) {
  Result<bool> removed = co_await store_->remove(name, version);
  if (removed && *removed) {
    sets_.erase(name);
    ++changes_;
  }
  co_return removed;
}

void Controller::tell(const BrokerSet& set, const ReignInfo& reign, Audience audience) {
  if (!config.notify_broker_role_changed) return;
  const ReplicaIds living = alive(set.name);
  for (const auto& [id, replica] : set.replicas) {
    if (!living.contains(id) || replica.address.empty()) continue;
    if (audience == Audience::SetNotices && !set_notices_.contains({set.name, id})) continue;
    std::function<net::Task<>()> start = [this, address = replica.address,
                                          notice = notice_of(reign)] {
      return notify(client_, address, notice);
    };
    net::spawn(threads.control(), "controller notice", std::move(start));
  }
}

void Controller::forget(const ReplicaKey& replica) {
  liveness_->forget(replica);
  set_notices_.erase(replica);
}

ReplicaIds Controller::alive(const std::string& set) const {
  return liveness_->alive_ids(set, now());
}

ReplicaIds Controller::perhaps_alive(const BrokerSet& set) const {
  ReplicaIds ids;
  for (const ReplicaId id : set.ids()) {
    if (!is_dead(set.name, id)) ids.add(id);
  }
  return ids;
}

bool Controller::is_dead(const std::string& set, ReplicaId id) const {
  return liveness_->is_dead({set, id}, now());
}

replication::Electorate Controller::electorate(const BrokerSet& set) const {
  return liveness_->electorate(set, now());
}

}  // namespace rmq::roles::controller
