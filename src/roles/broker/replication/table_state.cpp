#include "roles/broker/replication/table_state.h"

#include "protocol/table_sync.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

TableState::TableState(const Broker& broker, std::int64_t changes)
    : version_(std::to_string(broker.boot_timestamp_ms) + "-" + std::to_string(changes)) {}

Response TableState::unchanged() const {
  return respond(protocol::TableVersionResponse{.version = version_});
}

void TableState::add_to(Response& response, std::string_view known,
                        std::optional<PhysicalOffset> position,
                        std::optional<PhysicalOffset> log_end) const {
  if (known.empty()) return;
  protocol::TableVersionResponse fields{.version = version_};
  if (position) fields.position = position->value;
  if (log_end) fields.log_end = log_end->value;
  protocol::append_fields(fields, response.fields);
}

// AdminBrokerProcessor.validateSlave.
Result<> refuse_on_slave(const Broker& broker) {
  if (!broker.is_slave()) return {};
  return fail(protocol::ResponseCode::SystemError,
              "Can't modify topic or subscription group from slave broker, please execute it from "
              "master broker.");
}

}  // namespace rmq::roles::broker
