#include "cli/topic_names.h"

#include "cli/suggest.h"
#include "client/admin_client.h"
#include "protocol/response_codes.h"

namespace rmq::cli {

Failure explain_topic_error(const Error& error, const std::string& task, const std::string& topic,
                            const CommonOptions& options, Session& session) {
  Failure failure = explain(error, task, options);
  if (error.code != protocol::ResponseCode::TopicNotExist) return failure;
  client::AdminClient admin(session.client(), options.timeout());
  const auto topics =
      session.run<Result<std::vector<std::string>>>([&admin] { return admin.topics(); });
  if (topics) failure.message += did_you_mean(topic, *topics);
  return failure;
}

}  // namespace rmq::cli
