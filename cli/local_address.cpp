#include "cli/local_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>

namespace rmq::cli {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::optional<SocketAddress> parse_ip(const std::string& ip, std::uint16_t port) {
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  return std::nullopt;
}

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* ip =
      address->sa_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
  inet_ntop(address->sa_family, ip, text.data(), text.size());
  return text.data();
}

// 10/8, 172.16/12, 192.168/16.
bool is_private(const sockaddr_in& address) {
  const std::uint32_t ip = ntohl(address.sin_addr.s_addr);
  return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8;
}

// The first public IPv4 address of the machine, else the last private one.
std::optional<std::string> interface_address() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::optional<std::string> found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if ((entry->ifa_flags & IFF_UP) == 0 || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    found = text_of(entry->ifa_addr);
    if (!is_private(*reinterpret_cast<const sockaddr_in*>(entry->ifa_addr))) return found;
  }
  return found;
}

}  // namespace

bool is_ip_address(const std::string& text) { return parse_ip(text, 0).has_value(); }

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

bool is_any_address(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

std::optional<std::string> source_address_towards(const std::string& ip) {
  constexpr std::uint16_t kAnyPort = 9;  // nothing is sent to it
  const std::optional<SocketAddress> target = parse_ip(ip, kAnyPort);
  if (!target) return std::nullopt;
  const int fd = ::socket(target->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  SocketAddress local;
  local.size = sizeof(local.storage);
  const bool routed =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&target->storage), target->size) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&local.storage), &local.size) == 0;
  ::close(fd);
  if (!routed) return std::nullopt;
  return text_of(reinterpret_cast<const sockaddr*>(&local.storage));
}

std::string primary_address() {
  constexpr const char* kDocumentationAddress = "192.0.2.1";  // RFC 5737: on no network
  if (auto address = source_address_towards(kDocumentationAddress)) return *address;
  if (auto address = interface_address()) return *address;
  return "127.0.0.1";
}

}  // namespace rmq::cli
