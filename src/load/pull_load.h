// PullLoad: messages read over several connections at a time, each with a pull on its way for every
// queue that it has.
// Threads: everything on the control thread of the client's io threads, but messages().
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "client/pull_consumer.h"
#include "load/lines.h"
#include "load/load_result.h"
#include "load/pull_stream.h"
#include "net/task.h"

namespace rmq::load {

struct PullLoadOptions {
  std::vector<std::string> topics;
  std::string group = "TOOLS_CONSUMER";
  std::string expression = "*";
  std::size_t connections = 1;  // on each broker; no more than it has queues
  std::int32_t batch = 32;      // most messages of one answer
  bool from_end = false;
  PullUntil until = PullUntil::End;
  protocol::SerializeType type = protocol::SerializeType::Json;
  bool end_to_end = false;  // see PullStreamOptions
  std::chrono::milliseconds timeout{5000};
};

class PullLoad {
 public:
  // `client` must outlive it.
  PullLoad(client::Client& client, PullLoadOptions options);

  // Finds the queues and connects; finish() must have ended before this object goes. Errors, with
  // all closed again: as client::PullConsumer::queues() and begin_offset(); NetErrc.
  net::Task<Result<>> connect();
  // Begins to pull; `window` is what will be measured. Once.
  void start(Window window);
  // Returns when every queue was read to its end, or at `deadline`: true in the first case.
  net::Task<bool> read_to_end(SteadyTime deadline);
  // Pulls no more, waits for what is on its way, and closes the connections.
  net::Task<LoadResult> finish() { return lines_.finish(options_.timeout); }

  // Received so far. Any thread.
  std::uint64_t messages() const { return lines_.messages(); }

 private:
  using Ranges = std::vector<PullStreamOptions::Range>;

  net::Task<Result<std::map<std::string, Ranges>>> find_ranges();
  net::Task<Result<>> open_lines(const std::map<std::string, Ranges>& ranges);

  client::Client& client_;
  const PullLoadOptions options_;
  Lines<PullStream> lines_;
};

}  // namespace rmq::load
