#include "cli/catch_up.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/progress.h"
#include "net/net_errc.h"
#include "protocol/ha_status.h"

namespace rmq::cli {

using protocol::HaStatus;

Result<> wait_for_slaves(const std::string& master, double seconds, client::AdminClient& admin,
                         Session& session, Console& console) {
  const auto ask = [&] {
    return session.run_quietly<Result<HaStatus>>([&] { return admin.ha_status(master); });
  };
  RMQ_TRY(const HaStatus first, ask());
  Progress progress(console, "waiting until its slaves have all");
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    RMQ_TRY(const HaStatus now, ask());
    std::int64_t lowest = now.log_end;
    for (const HaStatus::Slave& slave : now.slaves) {
      if (slave.in_sync) lowest = std::min(lowest, slave.acked);
    }
    if (lowest >= first.log_end) return {};
    if (std::chrono::steady_clock::now() > end) {
      return fail(net::NetErrc::TimedOut,
                  std::to_string(first.log_end - lowest) + " bytes of it are on the master only");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace rmq::cli
