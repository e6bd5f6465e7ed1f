#include "cli/route_changes.h"

#include <map>

#include "cli/topic.h"

namespace rmq::cli {
namespace {

using protocol::TopicRouteData;

// All that a route says, one line for each thing: what is compared and shown.
using Facts = std::map<std::pair<std::string, std::string>, std::string>;  // (broker, what) -> text

Facts facts_of(const std::optional<TopicRouteData>& route) {
  Facts facts;
  if (!route) return facts;
  facts[{"", "topic"}] = "there";
  if (route->order_topic_conf) facts[{"", "order"}] = *route->order_topic_conf;
  for (const protocol::QueueData& queues : route->queue_datas) {
    const std::string& broker = queues.broker_name;
    facts[{broker, "read queues"}] = std::to_string(queues.read_queue_nums);
    facts[{broker, "write queues"}] = std::to_string(queues.write_queue_nums);
    facts[{broker, "permission"}] = perm_text(queues.perm);
  }
  for (const protocol::BrokerData& broker : route->broker_datas) {
    for (const auto& [id, address] : broker.broker_addrs) {
      const std::string what =
          id == protocol::kMasterId ? std::string("master") : "slave " + std::to_string(id);
      facts[{broker.broker_name, what}] = address;
    }
  }
  return facts;
}

}  // namespace

std::vector<RouteChange> compare_routes(const std::optional<TopicRouteData>& before,
                                        const std::optional<TopicRouteData>& after) {
  const Facts old = facts_of(before);
  Facts all = facts_of(after);
  const Facts now = all;
  all.insert(old.begin(), old.end());
  const auto text_in = [](const Facts& facts, const Facts::key_type& key) {
    const auto found = facts.find(key);
    return found == facts.end() ? std::string() : found->second;
  };
  std::vector<RouteChange> changes;
  for (const auto& [key, text] : all) {
    RouteChange change{key.first, key.second, text_in(old, key), text_in(now, key)};
    if (change.before != change.after) changes.push_back(std::move(change));
  }
  return changes;
}

std::string change_line(const RouteChange& change) {
  std::string line = change.broker.empty() ? "" : change.broker + ": ";
  line += change.what + " ";
  if (change.before.empty()) return line + "= " + change.after;
  if (change.after.empty()) return line + change.before + " is gone";
  return line + change.before + " -> " + change.after;
}

}  // namespace rmq::cli
