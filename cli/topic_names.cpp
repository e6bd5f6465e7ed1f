#include "cli/topic_names.h"

#include <algorithm>

#include "cli/suggest.h"
#include "client/admin_client.h"
#include "client/client_errc.h"
#include "protocol/response_codes.h"

namespace rmq::cli {

Failure explain_topic_error(const Error& error, const std::string& task, const std::string& topic,
                            const CommonOptions& options, Session& session) {
  Failure failure = explain(error, task, options);
  if (error.code != protocol::ResponseCode::TopicNotExist) return failure;
  client::AdminClient admin(session.client(), options.timeout());
  const auto topics =
      session.run<Result<std::vector<std::string>>>([&admin] { return admin.topics(); });
  if (topics) {
    const std::string meant = did_you_mean(topic, *topics);
    if (!meant.empty()) failure.message += "." + meant;
  }
  return failure;
}

Result<std::vector<Target>> keep_brokers_of(const std::string& topic, std::vector<Target> targets,
                                            client::AdminClient& admin, Session& session) {
  // One that is named by its address needs no route.
  if (targets.size() == 1 && targets.front().broker == targets.front().address) return targets;
  RMQ_TRY(const protocol::TopicRouteData route,
          session.run<Result<protocol::TopicRouteData>>([&] { return admin.route(topic); }));
  std::erase_if(targets, [&](const Target& target) {
    return std::none_of(route.broker_datas.begin(), route.broker_datas.end(),
                        [&](const auto& data) { return data.broker_name == target.broker; });
  });
  if (targets.empty()) {
    return fail(client::ClientErrc::BrokerUnknown,
                "topic '" + topic + "' is on none of the brokers that are meant");
  }
  return targets;
}

}  // namespace rmq::cli
