// What is different between two routes of a topic, in words.
// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/route_body.h"

namespace rmq::cli {

struct RouteChange {
  std::string broker;  // empty: about the topic itself
  std::string what;    // "topic", "order", "read queues", "permission", "master", "slave 1" ...
  std::string before;  // empty: it was not there
  std::string after;   // empty: it is gone
};

// Nothing for a topic that has no route. Sorted by broker.
std::vector<RouteChange> compare_routes(const std::optional<protocol::TopicRouteData>& before,
                                        const std::optional<protocol::TopicRouteData>& after);

// "broker-a: write queues 8 -> 16", "broker-a: master = 10.0.0.1:10911", "topic there is gone"
std::string change_line(const RouteChange& change);

}  // namespace rmq::cli
