// How far the slaves of a master are behind it.
// Threads: the command's.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/output.h"
#include "cli/session.h"
#include "client/admin_client.h"

namespace rmq::cli {

// Until the slaves that are in sync have all that the master ("host:port") has now. Errors:
// NetErrc::TimedOut after `seconds`; the master's.
Result<> wait_for_slaves(const std::string& master, double seconds, client::AdminClient& admin,
                         Session& session, Console& console);

}  // namespace rmq::cli
