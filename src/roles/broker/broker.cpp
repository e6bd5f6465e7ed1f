#include "roles/broker/broker.h"

#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

#include "base/heap.h"
#include "base/log.h"
#include "net/await.h"
#include "net/endpoint.h"
#include "protocol/client.h"
#include "protocol/header_fields.h"
#include "protocol/properties.h"
#include "roles/broker/broker_service.h"
#include "roles/broker/controlled/replica_manager.h"
#include "roles/broker/pulling/pull_message.h"
#include "roles/broker/sending/send_message.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;

// How long start() waits for the name servers, and stop() for them and for clients.
constexpr auto kFirstRegistration = 3s;
constexpr auto kUnregister = 2s;
constexpr auto kDrain = 5s;
// For three free ports beside each other.
constexpr int kTripleTries = 100;
// stop() goes on sending clients away until none has asked for so long, or altogether for so long.
constexpr auto kQuiet = 100ms;
constexpr auto kSendAway = 1s;
// The ordinal of V5_3_1 in MQVersion.java: clients after it know GO_AWAY.
constexpr std::int32_t kLastWithoutGoAway = 475;

std::string config_directory(const storage::StoreConfig& store) {
  return store.root_directory + "/config";
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "DEFAULT_BROKER";
  return name.data();
}

// What a config leaves open: a name, and addresses where the listener's own is one that clients can
// use.
BrokerConfig completed(BrokerConfig config) {
  if (config.broker_name.empty()) config.broker_name = host_name();
  if (config.broker_ip1.empty()) config.broker_ip1 = config.listen_address;
  if (config.broker_ip2.empty()) config.broker_ip2 = config.broker_ip1;
  return config;
}

}  // namespace

Broker::Broker(net::IoThreads& io_threads, BrokerConfig settings, FileSystem& files,
               Clock& the_clock)
    : threads(io_threads),
      clock(the_clock),
      config(completed(std::move(settings))),
      boot_timestamp_ms(clock.now_ms()),
      topics(config, clock, files, config_directory(config.store)),
      groups(config, clock, files, config_directory(config.store)),
      offsets(clock, files, config_directory(config.store) + "/consumerOffset.json",
              config.store.root_directory + "/rmq/slave-commits.json"),
      first_offsets(clock, files, config.store.root_directory),
      delay_progress(clock, files, config.store.root_directory),
      clients(clock, config.channel_expired_timeout),
      locks(clock),
      traffic(clock),
      long_polls([this](net::Connection& connection, const protocol::Command& command) {
        pull_again(*this, connection, command);
      }),
      replica_waits(threads.control()),
      outgoing(threads),
      registration(config, topics, outgoing, threads.control()),
      files_(files),
      saver_({[this] { return topics.save_if_changed(); },
              [this] { return first_offsets.save_if_changed(); },
              [this] { return groups.save_if_changed(); }},
             {[this] { return offsets.save_if_changed(); },
              [this] { return delay_progress.save_if_changed(); }},
             config.flush_consumer_offset_interval),
      service_(std::make_unique<BrokerService>(*this, broker_requests())),
      vip_service_(std::make_unique<BrokerService>(*this, vip_requests())),
      classic_(*this),
      table_sync_(*this) {
  protocol::append_property(own_properties, protocol::property::kCluster, config.cluster_name);
  protocol::append_property(own_properties, protocol::property::kMsgRegion, config.region_id);
  protocol::append_property(own_properties, protocol::property::kTraceSwitch,
                            config.trace_on ? "true" : "false");
  for (std::size_t i = 0; i < threads.data_count(); ++i) {
    send_threads_.push_back(std::make_unique<SendThread>(topics));
  }
}

Broker::~Broker() = default;

std::string Broker::address() const {
  return config.broker_ip1 + ":" + std::to_string(config.listen_port);
}

Result<> Broker::start() {
  RMQ_CHECK(open_store());
  RMQ_CHECK(listen());
  connect_parts();
  using Reign = storage::MessageStore::Reign;
  const bool leads = !config.enable_controller_mode && !is_slave();
  RMQ_CHECK(store->start(leads ? Reign::Leading : Reign::Following));
  if (!config.enable_controller_mode) {
    classic_.start();
    if (!is_slave()) delays_->start();
  }
  saver_.start();
  saver_.wake();
  start_timers();
  return_free_memory();
  if (ReplicaManager* const manager = replicas()) {
    // Controllers send notices, and replicas ask where the log is to be had.
    server_->start_accepting();
    manager->start();
    threads.control().post([this] { follow_tables(); });
  }
  std::function<net::Task<bool>()> announce = [this] { return this->announce(); };
  const bool registered = net::run_blocking<bool>(threads.control(), std::move(announce));
  if (!registered) {
    log::warn("broker", "not registered with any name server yet, trying on",
              kv("namesrv", config.namesrv_addr));
  }
  if (replicas() == nullptr) server_->start_accepting();
  vip_server_->start_accepting();
  log::info("broker", "broker serves", kv("name", config.broker_name), kv("address", address()),
            kv("store", config.store.root_directory));
  return {};
}

// False when no name server has taken the broker in time.
net::Task<bool> Broker::announce() {
  ReplicaManager* const manager = replicas();
  if (manager == nullptr) {
    register_as(config.broker_id);
  } else {
    const SteadyTime deadline = std::chrono::steady_clock::now() + kFirstRegistration;
    const bool settled = co_await manager->settled(deadline);
    if (!settled) {
      log::warn("broker", "no controller has said yet who is the master: the broker waits",
                kv("controllers", config.controller_addr));
      co_return true;
    }
  }
  const bool registered = co_await registration.first_round(kFirstRegistration);
  co_return registered;
}

Result<> Broker::open_store() {
  // First: Java must be able to go on with a store that is refused.
  RMQ_CHECK(topics.check_file());
  RMQ_TRY(store, storage::MessageStore::open(config.store, files_, clock, on_start_progress_));
  const bool has_data = store->appended().value().value > 0;
  RMQ_CHECK(topics.load(has_data));
  if (topics.from_backup()) topics.restore(store->queues_with_messages());
  RMQ_CHECK(groups.load(has_data));
  RMQ_CHECK(offsets.load(has_data));
  RMQ_CHECK(first_offsets.load());
  // A power cut may have taken messages that a group had consumed, and their numbers come again.
  const auto end_of = [this](std::string_view topic, QueueId queue_id) {
    return store->visible_end(topic, queue_id);
  };
  offsets.clamp(end_of);
  first_offsets.clamp(end_of);
  RMQ_CHECK(delay_progress.load(*store));
  delays_.emplace(*store, delay_progress, clock);
  if (config.enable_controller_mode) {
    managers_.push_back(std::make_unique<ReplicaManager>(*this, files_));
    RMQ_CHECK(managers_.back()->load());
    replicas_ = managers_.back().get();
  }
  return {};
}

Result<> Broker::listen() {
  if (config.listen_port != 0) {
    RMQ_CHECK(listen_on(config.listen_port));
  } else {
    Result<> listening;
    for (int i = 0; i < kTripleTries; ++i) {
      listening = listen_on(0);
      if (listening) break;
    }
    RMQ_CHECK(std::move(listening));
  }
  RMQ_TRY(store_host, net::host_address(config.broker_ip1, config.listen_port));
  unique_keys.emplace(store_host.ip(), static_cast<std::uint16_t>(getpid()),
                      static_cast<std::uint32_t>(boot_timestamp_ms));
  return {};
}

// Java's clients compute the VIP port, slaves the HA port, so the three are one choice.
Result<> Broker::listen_on(std::uint16_t port) {
  auto server = std::make_unique<net::RpcServer>(threads, *service_);
  auto vip = std::make_unique<net::RpcServer>(threads, *vip_service_);
  RMQ_CHECK(server->listen(config.listen_address, port));
  const std::uint16_t main_port = server->port();
  RMQ_CHECK(vip->listen(config.listen_address, static_cast<std::uint16_t>(main_port - 2)));
  const auto ha_port = config.ha_listen_port != 0 ? config.ha_listen_port
                                                  : static_cast<std::uint16_t>(main_port + 1);
  RMQ_CHECK(replication().listen(config.listen_address, ha_port));
  config.listen_port = main_port;
  config.ha_listen_port = ha_port;
  server_ = std::move(server);
  vip_server_ = std::move(vip);
  return {};
}

void Broker::connect_parts() {
  store->on_arrival([this](std::span<const storage::Arrival> arrivals) {
    long_polls.on_arrival(arrivals);
    delays_->on_arrival(arrivals);
  });
  store->on_fatal([this](const Error& why) {
    log::error("broker", "the store can write no more: the broker stops", kv("why", why.message()));
    if (ReplicaManager* const manager = replicas()) {
      threads.control().post([manager] { manager->on_log_failed(); });
    }
    if (on_fatal_) on_fatal_(why);
  });
  topics.on_change([this] {
    saver_.wake();
    threads.control().post([this] { registration.topics_changed(); });
  });
  groups.on_change([this] { saver_.wake(); });
  first_offsets.on_change([this] { saver_.wake(); });
  clients.on_group_changed([](const std::string& group, const std::vector<Client>& members) {
    const protocol::NotifyConsumerIdsChangedRequest notice{.consumer_group = group};
    for (const Client& member : members) {
      if (!member.connection) continue;
      member.connection->send_oneway(
          protocol::make_request(protocol::RequestCode::NotifyConsumerIdsChanged, notice));
    }
  });
}

void Broker::stop_replication() {
  ReplicaManager* const manager = replicas();
  if (manager == nullptr) classic_.stop();
  std::function<net::Task<>()> leave = [this, manager]() -> net::Task<> {
    table_sync_.stop();
    if (manager != nullptr) co_await manager->stop();
  };
  net::run_blocking<void>(threads.control(), std::move(leave));
}

void Broker::run_every(std::chrono::milliseconds period, std::function<void()> work) {
  std::function<net::Task<>()> loop = [this, period, work = std::move(work)]() -> net::Task<> {
    while (!stopping_) {
      co_await net::sleep_for(period);
      if (!stopping_) work();
    }
  };
  net::spawn(threads.control(), "broker timer", std::move(loop));
}

void Broker::start_timers() {
  run_every(1s, [this] {
    long_polls.sweep(clock.steady_now(), nullptr);
    traffic.sample();
    replication().sample();
  });
  run_every(5s, [this] {
    const std::function<QueueOffset(const storage::Queue&)> end_of =
        [this](const storage::Queue& queue) {
          return store->visible_end(queue.topic(), queue.queue_id());
        };
    long_polls.sweep(clock.steady_now(), &end_of);
  });
  run_every(10s, [this] {
    for (const Client& silent : clients.expire()) {
      if (silent.connection) silent.connection->close();
    }
    locks.sweep();
  });
}

void Broker::stop() {
  if (stopping_.exchange(true)) return;
  mode_work.stop();
  std::function<net::Task<>()> leave = [this] { return registration.stop(kUnregister); };
  net::run_blocking<void>(threads.control(), std::move(leave));
  if (server_) server_->stop_accepting();
  if (vip_server_) vip_server_->stop_accepting();
  send_clients_away();
  if (server_) server_->close_connections(kDrain);
  if (vip_server_) vip_server_->close_connections(kDrain);
  if (delays_) delays_->stop();
  let_replicas_catch_up();
  stop_replication();
  disk.stop();
  cold_pulls.stop();
  role_work.stop();
  saver_.stop();
  if (store) store->stop();
  log::info("broker", "broker stopped", kv("name", config.broker_name));
}

// Java's client can lose a request that is under way when its connection ends, and lets it time out
// instead of trying another broker at once: when another thread has replaced the connection before
// the client notices the end. So producers are told to leave the connection first; a new one is
// refused, and they try the next broker. Held pulls are answered for the same reason: the client
// forgets what waits on the connection that it has left.
void Broker::send_clients_away() {
  if (clients.producer_groups().empty()) return;
  leaving = true;
  const SteadyTime end = std::chrono::steady_clock::now() + kSendAway;
  std::uint64_t before = 0;
  do {
    before = sent_away;
    long_polls.sweep(SteadyTime::max(), nullptr);
    std::this_thread::sleep_for(kQuiet);
  } while (sent_away != before && std::chrono::steady_clock::now() < end);
}

void BrokerService::on_request(net::ReadTurn& turn, const protocol::CommandView& command) {
  const bool knows_go_away = command.language == protocol::Language::Java &&
                             command.version > kLastWithoutGoAway && !command.is_oneway();
  if (!context_.leaving || !knows_go_away) return RequestService::on_request(turn, command);
  ++context_.sent_away;
  net::Response go_away;
  go_away.code = static_cast<std::int32_t>(protocol::ResponseCode::GoAway);
  go_away.remark = "the broker " + context_.config.broker_name + " is stopping";
  net::write_response(turn.connection.out(), net::Asked(command), std::move(go_away));
}

void BrokerService::on_turn_end(net::ReadTurn& turn) { end_send_turn(context_, turn); }

void BrokerService::on_closed(net::Connection& connection) {
  Broker& broker = context_;
  broker.threads.control().post(
      [&broker, id = connection.id()] { broker.clients.connection_closed(id); });
}

}  // namespace rmq::roles::broker
