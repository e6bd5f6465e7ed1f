// TableState: the state of one of the tables that slaves copy, told to those of ours so that they
// ask for no table twice (protocol/table_sync.h). And what a slave does not change by itself.
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "roles/served_request.h"

namespace rmq::roles::broker {

class Broker;

class TableState {
 public:
  // `changes` of the table since the broker started; read before the table is.
  TableState(const Broker& broker, std::int64_t changes);

  // Whether the slave that asks has the table as it is.
  bool is_known(std::string_view known) const { return known == version_; }
  // The answer to one that has.
  Response unchanged() const;
  // Tells a slave of ours which state `response` has.
  void add_to(Response& response, std::string_view known,
              std::optional<PhysicalOffset> position = {},
              std::optional<PhysicalOffset> log_end = {}) const;

 private:
  const std::string version_;
};

// Error, with Java's words: topics and groups are changed on the master, which slaves follow.
Result<> refuse_on_slave(const Broker& broker);

}  // namespace rmq::roles::broker
