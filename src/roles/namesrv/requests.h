// NameService: the requests that a name server serves (the table is in requests.cpp), and the
// connections that close.
#pragma once

#include "net/service.h"
#include "roles/served_request.h"

namespace rmq::roles::namesrv {

class NameServer;

class NameService final : public RequestService<NameServer> {
 public:
  explicit NameService(NameServer& server);
  // A broker whose connection is gone is gone; Java does the same.
  void on_closed(net::Connection& connection) override;
};

}  // namespace rmq::roles::namesrv
