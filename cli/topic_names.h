// From a topic's name to its brokers, and help for who mistypes it.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/common_options.h"
#include "cli/failure.h"
#include "cli/session.h"
#include "cli/targets.h"

namespace rmq::cli {

// explain(), and when the topic does not exist, the nearest one that does.
Failure explain_topic_error(const Error& error, const std::string& task, const std::string& topic,
                            const CommonOptions& options, Session& session);

// The brokers among `targets` that the topic is on. Errors: as AdminClient::route();
// ClientErrc::BrokerUnknown when there is none.
Result<std::vector<Target>> keep_brokers_of(const std::string& topic, std::vector<Target> targets,
                                            client::AdminClient& admin, Session& session);

}  // namespace rmq::cli
