// BrokerService: one of the two ports of a broker: its table of requests, the end of a read turn,
// closed connections.
#pragma once

#include <span>

#include "roles/broker/broker.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

// Every request of a broker, sorted by code.
std::span<const ServedRequest<Broker>> broker_requests();
// The "VIP" port serves all but the pulling ones, as in Java: a stuck consumer must not delay who
// uses it.
std::span<const ServedRequest<Broker>> vip_requests();

class BrokerService final : public RequestService<Broker> {
 public:
  using RequestService::RequestService;
  void on_request(net::ReadTurn& turn, const protocol::CommandView& command) override;
  void on_turn_end(net::ReadTurn& turn) override;
  void on_closed(net::Connection& connection) override;
};

}  // namespace rmq::roles::broker
