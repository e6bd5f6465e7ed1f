#include "roles/namesrv/name_server.h"

#include <utility>

#include "base/log.h"
#include "protocol/route.h"

namespace rmq::roles::namesrv {
namespace {

constexpr std::chrono::milliseconds kNotifyTimeout{300};
constexpr std::chrono::milliseconds kClosePatience{3000};

net::Task<> notify(net::RpcClient& client, std::string address, protocol::Command request) {
  const Result<> sent = co_await client.send_oneway(address, std::move(request), kNotifyTimeout);
  if (!sent) {
    log::warn("namesrv", "broker not told of its group's new lowest id", kv("address", address),
              kv("why", sent.error().message()));
  }
}

}  // namespace

NameServer::NameServer(net::IoThreads& io, NamesrvConfig settings, Clock& clock, FileSystem& files)
    : threads(io),
      config(std::move(settings)),
      routes(config, clock),
      kv(files, config.kv_config_path),
      clock_(clock),
      started_(clock.steady_now()),
      service_(*this),
      server_(io, service_),
      client_(io) {}

Result<> NameServer::start() {
  RMQ_CHECK(kv.load());
  RMQ_CHECK(server_.listen(config.listen_address, config.listen_port));
  started_ = clock_.steady_now();
  std::function<net::Task<>()> loop = [this] { return scan_loop(); };
  net::spawn(threads.control(), "namesrv scan", std::move(loop));
  server_.start_accepting();
  log::info("namesrv", "name server started", rmq::kv("address", config.listen_address),
            rmq::kv("port", port()));
  return {};
}

void NameServer::stop() {
  stopping_.set();
  server_.stop_accepting();
  server_.close_connections(kClosePatience);
}

bool NameServer::warming_up() const {
  return config.need_wait_for_service &&
         clock_.steady_now() - started_ < config.wait_seconds_for_service;
}

void NameServer::remember(const std::shared_ptr<net::Connection>& connection) {
  broker_connections_[connection->id()] = connection;
}

void NameServer::forget(ConnectionId connection) {
  if (broker_connections_.erase(connection) == 0) return;
  routes.connection_closed(connection);
  notify_min_id_changes();
}

void NameServer::notify_min_id_changes() {
  for (const MinBrokerIdChange& change : routes.take_min_id_changes()) {
    const protocol::NotifyMinBrokerIdChangeRequest header{
        .min_broker_id = change.min_broker_id,
        .broker_name = change.broker_name,
        .min_broker_addr = change.min_broker_addr,
        .offline_broker_addr = change.offline_broker_addr,
        .ha_broker_addr = change.ha_broker_addr};
    for (const std::string& address : change.to_notify) {
      std::function<net::Task<>()> start =
          [this, address,
           header_request =
               protocol::make_request(protocol::RequestCode::NotifyMinBrokerIdChange, header)] {
            return notify(client_, address, header_request);
          };
      net::spawn(threads.control(), "namesrv notify", std::move(start));
    }
  }
}

void NameServer::scan() {
  for (const ConnectionId id : routes.remove_expired()) {
    const auto entry = broker_connections_.find(id);
    if (entry == broker_connections_.end()) continue;
    if (const auto connection = entry->second.lock()) connection->close();
  }
  notify_min_id_changes();
}

net::Task<> NameServer::scan_loop() {
  // Real time, not the Clock: what a test's clock says is looked at within one interval.
  const auto next = [this] {
    return std::chrono::steady_clock::now() + config.scan_not_active_broker_interval;
  };
  while (!co_await stopping_.wait_until(next())) scan();
}

}  // namespace rmq::roles::namesrv
