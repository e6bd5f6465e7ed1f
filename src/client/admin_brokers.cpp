// AdminClient: brokers themselves.
#include "client/admin_client.h"
#include "protocol/topic.h"

namespace rmq::client {

using protocol::RequestCode;

net::Task<Result<protocol::KVTable>> AdminClient::runtime_info(std::string broker_address) {
  const protocol::GetBrokerRuntimeInfoRequest header;
  protocol::Command request = make_request(RequestCode::GetBrokerRuntimeInfo, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_kv_table(as_text(answer.body));
}

net::Task<Result<JavaProperties>> AdminClient::broker_config(std::string broker_address) {
  const protocol::NoFields header;
  protocol::Command request = make_request(RequestCode::GetBrokerConfig, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return parse_properties(as_text(answer.body));
}

net::Task<Result<protocol::HaStatus>> AdminClient::ha_status(std::string broker_address) {
  const protocol::GetBrokerHaStatusRequest header;
  protocol::Command request = make_request(RequestCode::GetBrokerHaStatus, header);
  RMQ_CO_TRY(const protocol::Command answer,
             co_await ask_broker(std::move(broker_address), std::move(request)));
  co_return protocol::decode_ha_status(as_text(answer.body));
}

net::Task<Result<>> AdminClient::update_broker_config(std::string broker_address,
                                                      JavaProperties settings) {
  const protocol::NoFields header;
  const std::string text = write_properties(settings);
  Bytes body(as_bytes(text).begin(), as_bytes(text).end());
  protocol::Command request =
      make_request(RequestCode::UpdateBrokerConfig, header, std::move(body));
  co_return co_await tell(std::move(broker_address), std::move(request));
}

}  // namespace rmq::client
