#include "roles/broker/registration.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "protocol/header_fields.h"
#include "protocol/registration_body.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"
#include "protocol/route.h"
#include "protocol/route_body.h"
#include "roles/broker/address_list.h"

namespace rmq::roles::broker {

using namespace std::chrono_literals;
using protocol::RequestCode;
using protocol::TopicConfig;

namespace {

// After a failure: twice as long each time, up to the period of registration.
constexpr std::chrono::milliseconds kFirstRetry = 1s;
// How soon a slave asks again for its master.
constexpr std::chrono::milliseconds kMasterCheck = 1s;
// How soon a broken connection is noticed.
constexpr std::chrono::milliseconds kConnectionCheck = 500ms;

// Topics as others may use them: a broker without read or write permission takes it from each.
TopicConfig as_registered(TopicConfig topic, std::int32_t broker_permission) {
  constexpr std::int32_t kReadWrite = protocol::kPermRead | protocol::kPermWrite;
  if ((broker_permission & kReadWrite) != kReadWrite) topic.perm &= broker_permission;
  return topic;
}

}  // namespace

// Those who wait until several name servers were tried once more.
struct Registration::Round {
  std::uint64_t generation = 0;
  std::size_t remaining = 0;
  net::Event done;
};

struct Registration::NameServer {
  std::string address;
  bool stopping = false;   // the owner may be gone: nothing but this struct may be touched
  bool known = false;      // it accepted this broker, and the connection has not broken since
  bool reported = false;   // its failure is in the log
  SteadyTime full_due;     // when it gets the whole table again
  std::uint64_t told = 0;  // the generation it was last tried with
  std::map<std::string, TopicConfig> changed;  // to be told incrementally
  std::shared_ptr<net::Connection> connection;
  std::vector<std::shared_ptr<Round>> rounds;
  net::Event wake;

  void attempted(std::uint64_t generation) {
    told = generation;
    std::erase_if(rounds, [generation](const std::shared_ptr<Round>& round) {
      if (round->generation > generation) return false;
      if (--round->remaining == 0) round->done.set();
      return true;
    });
  }
};

Registration::Registration(const BrokerConfig& config, TopicTable& topics, net::RpcClient& client,
                           net::IoThread& control)
    : config_(config), topics_(topics), client_(client), control_(control) {}

Registration::~Registration() = default;

void Registration::start(Addresses addresses) {
  addresses_ = std::move(addresses);
  generation_ = 1;
  (void)topics_.take_changed();  // the first registration has them all
  for (std::string& address : split_addresses(config_.namesrv_addr)) {
    auto server = std::make_shared<NameServer>();
    server->address = std::move(address);
    servers_.push_back(server);
    std::function<net::Task<>()> run = [this, server] { return serve(server); };
    net::spawn(control_, "registration", std::move(run));
  }
}

net::Task<> Registration::serve(std::shared_ptr<NameServer> server) {
  std::chrono::milliseconds retry = kFirstRetry;
  while (!server->stopping) {
    const std::uint64_t generation = generation_;
    const bool was_known = server->known;
    const bool accepted = co_await register_once(*server);
    server->attempted(generation);
    if (server->stopping) break;
    if (accepted) {
      retry = kFirstRetry;
      const auto until_full = std::chrono::ceil<std::chrono::milliseconds>(
          server->full_due - std::chrono::steady_clock::now());
      co_await wait_for_work(*server, until_full);
    } else if (!was_known) {
      co_await wait_for_work(*server, retry);
      retry = std::min(retry * 2, config_.register_namesrv_period);
    }
    // One that knew the broker may only have refused the increment: it gets the whole at once.
  }
}

net::Task<bool> Registration::register_once(NameServer& server) {
  const bool full = !server.known || std::chrono::steady_clock::now() >= server.full_due;
  protocol::Command request = make_request(server, full);
  Result<protocol::Command> answer =
      co_await client_.call(server.address, std::move(request), config_.register_broker_timeout);
  if (server.stopping) co_return false;
  std::string why;
  if (!answer) {
    why = answer.error().message();
  } else if (answer->code != static_cast<std::int32_t>(protocol::ResponseCode::Success)) {
    why = std::to_string(answer->code) + " " + answer->remark;
  }
  if (!why.empty()) {
    server.known = false;
    if (!std::exchange(server.reported, true)) {
      log::warn("registration", "name server does not take the broker",
                kv("namesrv", server.address), kv("why", why));
    }
    co_return false;
  }
  if (full) {
    log::info("registration", "registered", kv("namesrv", server.address));
    server.full_due = std::chrono::steady_clock::now() + config_.register_namesrv_period;
  }
  server.known = true;
  server.reported = false;
  if (on_master_) tell_master(server, *answer);
  if (!answer->body.empty()) {
    if (const auto order_topics = protocol::decode_kv_table(as_text(answer->body))) {
      std::vector<std::string> topics;
      for (const auto& [topic, queues] : order_topics->table) topics.push_back(topic);
      topics_.mark_order_topics(topics);
    }
  }
  auto connection = co_await client_.connection(server.address, kConnectionCheck);
  server.connection = connection ? *connection : nullptr;
  co_return true;
}

// A name server that does not know the master yet is asked again soon.
void Registration::tell_master(NameServer& server, const protocol::Command& answer) {
  const auto fields = protocol::decode_fields<protocol::RegisterBrokerResponse>(answer.view());
  if (!fields) return;
  on_master_({std::string(fields->master_addr), std::string(fields->ha_server_addr)});
  if (!fields->ha_server_addr.empty()) return;
  server.full_due = std::min(server.full_due, std::chrono::steady_clock::now() + kMasterCheck);
}

// Returns when `longest` has passed, when there are changes to tell, or when the connection broke.
net::Task<> Registration::wait_for_work(NameServer& server, std::chrono::milliseconds longest) {
  const SteadyTime end = std::chrono::steady_clock::now() + longest;
  while (!server.stopping) {
    if (server.known && server.told < generation_) break;
    if (server.known && server.connection && server.connection->closed()) {
      log::warn("registration", "connection to the name server broke, registering again",
                kv("namesrv", server.address));
      server.known = false;
      break;
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= end) break;
    const net::Event wake = server.wake;
    if (co_await wake.wait_until(std::min(end, now + kConnectionCheck))) server.wake = net::Event();
  }
}

// The whole table, or the changes when the name server knows the rest already.
protocol::Command Registration::make_request(NameServer& server, bool full) {
  const auto [table, data_version] = topics_.contents();
  protocol::RegisterBrokerBody body;
  body.data_version = data_version;
  const auto add = [&](const auto& topics) {
    for (const auto& [name, topic] : topics) {
      body.topics.push_back(as_registered(topic, config_.broker_permission));
    }
  };
  if (full) {
    add(*table);
  } else {
    add(server.changed);
  }
  server.changed.clear();
  const std::string text = protocol::encode_registration(body);
  const ByteView bytes = as_bytes(text);
  const protocol::RegisterBrokerRequest header{.broker_name = config_.broker_name,
                                               .broker_addr = addresses_.broker,
                                               .cluster_name = config_.cluster_name,
                                               .ha_server_addr = addresses_.ha,
                                               .broker_id = broker_id_,
                                               .heartbeat_timeout_millis = {},
                                               .enable_acting_master = false,
                                               .compressed = false,
                                               .body_crc32 = protocol::registration_crc32(bytes),
                                               .zone_name = {}};
  return protocol::make_request(RequestCode::RegisterBroker, header,
                                Bytes(bytes.begin(), bytes.end()));
}

// False when nothing changed since the last call.
bool Registration::take_changes() {
  const std::vector<TopicConfig> changed = topics_.take_changed();
  if (changed.empty() || servers_.empty()) return false;
  ++generation_;
  for (const auto& server : servers_) {
    for (const TopicConfig& topic : changed) {
      server->changed.insert_or_assign(topic.topic, topic);
    }
    server->wake.set();
  }
  return true;
}

std::shared_ptr<Registration::Round> Registration::begin_round(bool known_only) {
  auto round = std::make_shared<Round>();
  round->generation = generation_;
  for (const auto& server : servers_) {
    if (server->told >= generation_ || (known_only && !server->known)) continue;
    ++round->remaining;
    server->rounds.push_back(round);
  }
  if (round->remaining == 0) round->done.set();
  return round;
}

net::Task<bool> Registration::first_round(std::chrono::milliseconds timeout) {
  const auto round = begin_round(false);
  (void)co_await round->done.wait_until(std::chrono::steady_clock::now() + timeout);
  co_return servers_.empty() || registered_count() > 0;
}

void Registration::topics_changed() { (void)take_changes(); }

net::Task<> Registration::publish_changes(std::chrono::milliseconds timeout) {
  (void)take_changes();
  // A change that topics_changed() took just now may still be on its way.
  const auto round = begin_round(true);
  (void)co_await round->done.wait_until(std::chrono::steady_clock::now() + timeout);
}

void Registration::settings_changed() {
  topics_.new_version();  // name servers compare it to know whether to look at the topics
  ++generation_;
  for (const auto& server : servers_) {
    server->full_due = std::chrono::steady_clock::now();
    server->wake.set();
  }
}

net::Task<> Registration::unregister(std::shared_ptr<NameServer> server,
                                     std::chrono::milliseconds timeout) {
  const std::uint64_t generation = generation_;
  const protocol::UnregisterBrokerRequest header{.broker_name = config_.broker_name,
                                                 .broker_addr = addresses_.broker,
                                                 .cluster_name = config_.cluster_name,
                                                 .broker_id = broker_id_};
  protocol::Command request = protocol::make_request(RequestCode::UnregisterBroker, header);
  const auto answer = co_await client_.call(server->address, std::move(request), timeout);
  if (!answer) {
    log::warn("registration", "cannot unregister", kv("namesrv", server->address),
              kv("why", answer.error().message()));
  }
  server->known = false;
  server->attempted(generation);
}

net::Task<> Registration::stop(std::chrono::milliseconds timeout) {
  ++generation_;
  for (const auto& server : servers_) {
    server->stopping = true;
    server->wake.set();
  }
  const auto round = begin_round(false);
  for (const auto& server : servers_) {
    std::function<net::Task<>()> run = [this, server, timeout] {
      return unregister(server, timeout);
    };
    net::spawn(control_, "unregister", std::move(run));
  }
  (void)co_await round->done.wait_until(std::chrono::steady_clock::now() + timeout);
}

std::size_t Registration::registered_count() const {
  return static_cast<std::size_t>(std::count_if(servers_.begin(), servers_.end(),
                                                [](const auto& server) { return server->known; }));
}

}  // namespace rmq::roles::broker
