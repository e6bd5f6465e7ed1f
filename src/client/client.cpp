#include "client/client.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>
#include <random>

namespace rmq::client {
namespace {

// The first IPv4 address of this host that others can see, for message ids; loopback when there is
// none.
Bytes own_ip() {
  Bytes ip{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return ip;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const bool usable = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET &&
                        (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable) continue;
    sockaddr_in address{};
    std::memcpy(&address, entry->ifa_addr, sizeof(address));
    std::memcpy(ip.data(), &address.sin_addr, ip.size());
    break;
  }
  freeifaddrs(list);
  return ip;
}

}  // namespace

Client::Client(net::IoThreads& threads, ClientOptions options, Clock& clock)
    : threads_(threads),
      clock_(clock),
      rpc_(threads),
      name_servers_(rpc_, std::move(options.name_servers)),
      routes_(name_servers_, options.route_max_age, clock),
      message_ids_(own_ip(), static_cast<std::uint16_t>(getpid()), std::random_device{}()) {}

}  // namespace rmq::client
