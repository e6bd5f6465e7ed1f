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

// As Java's: the address and what tells processes, and clients of one process, apart.
std::string unique_client_id(const Bytes& ip) {
  std::string text;
  for (const std::byte part : ip) {
    text += (text.empty() ? "" : ".") + std::to_string(std::to_integer<int>(part));
  }
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return text + "@" + std::to_string(getpid()) + "#" +
         std::to_string(std::chrono::nanoseconds(now).count());
}

}  // namespace

Client::LastingRequests::~LastingRequests() {
  for (std::size_t i = 0; i < threads.data_count(); ++i) {
    threads.data(i).post([kept = shared] {});
  }
}

Client::Client(net::IoThreads& threads, ClientOptions options, Clock& clock)
    : threads_(threads),
      clock_(clock),
      requests_(threads),
      rpc_(threads, requests_.shared.get()),
      name_servers_(rpc_, std::move(options.name_servers)),
      routes_(name_servers_, options.route_max_age, clock),
      heartbeats_(threads, rpc_, routes_, *requests_.shared,
                  options.client_id.empty() ? unique_client_id(own_ip()) : options.client_id),
      message_ids_(own_ip(), static_cast<std::uint16_t>(getpid()), std::random_device{}()) {}

}  // namespace rmq::client
