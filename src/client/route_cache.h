// RouteCache: the routes of the topics that this client uses, asked again when they are older than
// a limit or when somebody found one wrong. An old route is better than none: it is kept while no
// name server answers, and also when one says that there is no such topic, because it says so while
// the topic's only broker restarts. A topic that is really gone is refused by its brokers.
// Threads: any.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/string_map.h"
#include "client/name_servers.h"
#include "client/topic_route.h"
#include "net/task.h"

namespace rmq::client {

using SharedRoute = std::shared_ptr<const TopicRoute>;

// A broker of any route in the cache.
struct KnownServer {
  std::string address;
  bool is_master = false;
};

class RouteCache {
 public:
  // `name_servers` and `clock` must outlive this object.
  RouteCache(NameServers& name_servers, std::chrono::milliseconds max_age, Clock& clock)
      : name_servers_(name_servers), max_age_(max_age), clock_(clock) {}

  // Errors, when no old route is known: ResponseCode::TopicNotExist, NetErrc,
  // ProtocolErrc::BodyMalformed.
  net::Task<Result<SharedRoute>> get(std::string topic, std::chrono::milliseconds timeout);

  // The next get() asks again: a broker of this route did not do what the route says.
  void expire(const std::string& topic);

  // Every replica of every broker, each once.
  std::vector<KnownServer> servers();

 private:
  struct Entry {
    SharedRoute route;
    SteadyTime asked_at;
    bool expired = false;
  };
  SharedRoute find_fresh(const std::string& topic);
  SharedRoute find_any(const std::string& topic);
  net::Task<Result<SharedRoute>> fetch(std::string topic, std::chrono::milliseconds timeout);

  NameServers& name_servers_;
  const std::chrono::milliseconds max_age_;
  Clock& clock_;
  Mutex mutex_;
  StringMap<Entry> entries_ RMQ_GUARDED_BY(mutex_);
};

}  // namespace rmq::client
