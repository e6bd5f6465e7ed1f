// Help for who mistypes a topic's name.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/common_options.h"
#include "cli/failure.h"
#include "cli/session.h"

namespace rmq::cli {

// explain(), and when the topic does not exist, the nearest one that does.
Failure explain_topic_error(const Error& error, const std::string& task, const std::string& topic,
                            const CommonOptions& options, Session& session);

}  // namespace rmq::cli
