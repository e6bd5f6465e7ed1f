// ControllerService: the requests that a controller serves (the table is in requests.cpp), and the
// connections that close.
#pragma once

#include "net/service.h"
#include "roles/served_request.h"

namespace rmq::roles::controller {

class Controller;

class ControllerService final : public RequestService<Controller> {
 public:
  explicit ControllerService(Controller& controller);
  // Its broker may be dead.
  void on_closed(net::Connection& connection) override;
};

}  // namespace rmq::roles::controller
