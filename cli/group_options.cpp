#include "cli/group.h"

namespace rmq::cli {

void add_broker_options(const Command& verb, GroupOptions& options) {
  const Option broker =
      verb.option("--broker", options.broker, "Only this broker: address or name");
  verb.option("--cluster", options.cluster, "The masters of this cluster").excludes(broker);
}

}  // namespace rmq::cli
