#include "roles/broker/address_list.h"

#include <algorithm>

namespace rmq::roles::broker {

std::vector<std::string> split_addresses(std::string_view text) {
  std::vector<std::string> addresses;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string_view address = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!address.empty() && address.front() == ' ') address.remove_prefix(1);
    while (!address.empty() && address.back() == ' ') address.remove_suffix(1);
    if (!address.empty()) addresses.emplace_back(address);
  }
  return addresses;
}

}  // namespace rmq::roles::broker
