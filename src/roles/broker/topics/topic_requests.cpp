#include "roles/broker/topics/topic_requests.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "base/log.h"
#include "net/await.h"
#include "net/await_pool.h"
#include "protocol/registration_body.h"
#include "protocol/response_codes.h"
#include "roles/broker/broker.h"
#include "roles/broker/replication/table_state.h"

namespace rmq::roles::broker {

using namespace std::chrono_literals;
using protocol::ResponseCode;

namespace {

// How long an administrator's change may take to reach the disk, and a name server that does not
// answer may delay it.
constexpr auto kSaveTimeout = 5s;
constexpr auto kRegistrationTimeout = 3s;

Result<protocol::TopicConfig> topic_of(const protocol::UpdateAndCreateTopicRequest& request) {
  protocol::TopicConfig topic;
  topic.topic = request.topic;
  topic.read_queue_nums = request.read_queue_nums;
  topic.write_queue_nums = request.write_queue_nums;
  topic.perm = request.perm;
  topic.topic_sys_flag = request.topic_sys_flag.value_or(0);
  topic.order = request.order;
  const auto type = protocol::parse_topic_filter_type(request.topic_filter_type);
  if (!type) {
    return fail(ResponseCode::SystemError,
                "topicFilterType = [" + std::string(request.topic_filter_type) + "] value invalid");
  }
  topic.filter_type = *type;
  return topic;
}

}  // namespace

net::Task<Result<Response>> on_update_and_create_topic(
    Broker& broker, Caller caller, protocol::UpdateAndCreateTopicRequest request) {
  RMQ_CO_CHECK(refuse_on_slave(broker));
  log::info("topics", "topic change asked for", kv("topic", request.topic),
            kv("peer", caller.connection->peer().text()));
  RMQ_CO_TRY(protocol::TopicConfig topic, topic_of(request));
  RMQ_CO_CHECK(broker.topics.update(std::move(topic), request.attributes));
  const SteadyTime deadline = std::chrono::steady_clock::now() + kSaveTimeout;
  RMQ_CO_CHECK(
      co_await net::await_at_least(broker.topics.saved(), broker.topics.version(), deadline));
  co_await broker.registration.publish_changes(kRegistrationTimeout);
  co_return respond();
}

net::Task<Result<Response>> on_delete_topic_in_broker(
    Broker& broker, Caller caller, protocol::DeleteTopicInBrokerRequest request) {
  RMQ_CO_CHECK(refuse_on_slave(broker));
  log::info("topics", "topic deletion asked for", kv("topic", request.topic),
            kv("peer", caller.connection->peer().text()));
  if (request.topic.empty()) {
    co_return fail(ResponseCode::InvalidParameter, "The specified topic is blank.");
  }
  if (broker.topics.is_system(request.topic)) {
    co_return fail(ResponseCode::InvalidParameter,
                   "The topic[" + std::string(request.topic) + "] is conflict with system topic.");
  }
  broker.topics.erase(request.topic);
  const SteadyTime deadline = std::chrono::steady_clock::now() + kSaveTimeout;
  // What was sent before must be in the queues to be taken out of them.
  const PhysicalOffset end{broker.store->appended().value().value};
  const DispatchedOffset in_queues{end.value};
  RMQ_CO_CHECK(co_await net::await_at_least(broker.store->dispatched(), in_queues, deadline));
  std::function<Result<>()> work = [&broker, topic = std::string(request.topic), end] {
    return broker.store->delete_messages(topic, end);
  };
  RMQ_CO_CHECK(co_await net::run_on<void>(broker.disk, std::move(work)));
  broker.offsets.erase_topic(request.topic);
  broker.readers.erase_topic(request.topic);
  broker.first_offsets.erase_topic(request.topic);
  RMQ_CO_CHECK(
      co_await net::await_at_least(broker.topics.saved(), broker.topics.version(), deadline));
  co_return respond();
}

Result<Response> on_get_all_topic_config(Broker& broker,
                                         const protocol::GetAllTopicConfigRequest& request) {
  const TableState state(broker, broker.topics.version().value);
  if (state.is_known(request.known)) return state.unchanged();
  const auto [table, version] = broker.topics.contents();
  protocol::RegisterBrokerBody body;
  body.data_version = version;
  body.mapping_data_version.timestamp = broker.boot_timestamp_ms;
  for (const auto& [name, topic] : *table) body.topics.push_back(topic);
  std::sort(body.topics.begin(), body.topics.end(),
            [](const auto& a, const auto& b) { return a.topic < b.topic; });
  Response response = respond_body(protocol::encode_topic_configs(body));
  const protocol::GetAllTopicConfigResponse header{
      .total_topic_num = static_cast<std::int32_t>(body.topics.size())};
  protocol::append_fields(header, response.fields);
  state.add_to(response, request.known);
  return response;
}

Result<Response> on_get_topic_config(Broker& broker,
                                     const protocol::GetTopicConfigRequest& request) {
  const auto topic = broker.topics.find(request.topic);
  if (!topic) {
    return fail(ResponseCode::TopicNotExist,
                "No topic in this broker. topic: " + std::string(request.topic));
  }
  return respond_body(json::write(protocol::to_json(*topic)));
}

}  // namespace rmq::roles::broker
