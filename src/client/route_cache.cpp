#include "client/route_cache.h"

#include <map>

#include "protocol/header_fields.h"
#include "protocol/request_codes.h"
#include "protocol/route.h"

namespace rmq::client {

using protocol::RequestCode;

net::Task<Result<SharedRoute>> RouteCache::get(std::string topic,
                                               std::chrono::milliseconds timeout) {
  if (SharedRoute fresh = find_fresh(topic)) co_return fresh;
  Result<SharedRoute> fetched = co_await fetch(topic, timeout);
  if (fetched) {
    MutexLock lock(mutex_);
    entries_[topic] = Entry{*fetched, clock_.steady_now()};
    co_return fetched;
  }
  if (SharedRoute old = find_any(topic)) co_return old;
  co_return fetched;
}

void RouteCache::expire(const std::string& topic) {
  MutexLock lock(mutex_);
  const auto entry = entries_.find(topic);
  if (entry != entries_.end()) entry->second.expired = true;
}

std::vector<KnownServer> RouteCache::servers() {
  std::map<std::string, bool> known;
  {
    MutexLock lock(mutex_);
    for (const auto& [topic, entry] : entries_) {
      for (const protocol::BrokerData& broker : entry.route->data().broker_datas) {
        for (const auto& [id, address] : broker.broker_addrs) {
          known[address] = known[address] || id == protocol::kMasterId;
        }
      }
    }
  }
  std::vector<KnownServer> servers;
  for (auto& [address, is_master] : known) servers.push_back({address, is_master});
  return servers;
}

SharedRoute RouteCache::find_fresh(const std::string& topic) {
  MutexLock lock(mutex_);
  const auto entry = entries_.find(topic);
  if (entry == entries_.end() || entry->second.expired) return nullptr;
  if (clock_.steady_now() - entry->second.asked_at > max_age_) return nullptr;
  return entry->second.route;
}

SharedRoute RouteCache::find_any(const std::string& topic) {
  MutexLock lock(mutex_);
  const auto entry = entries_.find(topic);
  return entry == entries_.end() ? nullptr : entry->second.route;
}

net::Task<Result<SharedRoute>> RouteCache::fetch(std::string topic,
                                                 std::chrono::milliseconds timeout) {
  protocol::GetRouteinfoByTopicRequest header;
  header.topic = topic;
  header.accept_standard_json_only = true;
  protocol::Command request = make_request(RequestCode::GetRouteinfoByTopic, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await name_servers_.ask(std::move(request), timeout));
  RMQ_CO_TRY(protocol::TopicRouteData data, protocol::decode_topic_route(as_text(answer.body)));
  co_return std::make_shared<const TopicRoute>(topic, std::move(data));
}

}  // namespace rmq::client
