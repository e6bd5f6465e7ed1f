// SendLoad: messages sent over many connections at a time, each with many requests on their way.
// Threads: everything on the control thread of the client's io threads, but messages().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/client.h"
#include "load/frame_template.h"
#include "load/lines.h"
#include "load/load_result.h"
#include "load/send_stream.h"
#include "net/await.h"
#include "net/task.h"

namespace rmq::load {

struct SendLoadOptions {
  std::vector<std::string> topics;
  SendShape shape;
  std::size_t connections = 16;  // shared out among the brokers
  std::size_t in_flight = 32;    // requests without an answer on each of them
  std::int32_t queues = 0;       // so many of each topic on each broker; 0: all
  // Messages a second, due whatever becomes of those before (open loop); 0: as fast as answers come
  // (closed loop).
  double rate = 0;
  std::chrono::milliseconds ramp_up{0};     // until the last connection begins
  std::chrono::milliseconds timeout{5000};  // of an answer
};

class SendLoad {
 public:
  // `client` must outlive it.
  SendLoad(client::Client& client, SendLoadOptions options);

  // Finds the brokers of the topics and connects; finish() must have ended before this object goes.
  // Errors, with all closed again: as client::Producer::publish_route(); ClientErrc::NoQueue;
  // NetErrc.
  net::Task<Result<>> connect();
  // Begins to send; `window` is what will be measured. Once.
  void start(Window window);
  // Stops sending, waits for what is on its way, and closes the connections.
  net::Task<LoadResult> finish();

  // Acknowledged so far. Any thread.
  std::uint64_t messages() const { return lines_.messages(); }

 private:
  struct Broker;

  net::Task<Result<std::vector<Broker>>> find_brokers();
  Result<std::shared_ptr<SendStream>> make_stream(const Broker& broker, std::size_t index,
                                                  std::size_t brokers) const;
  net::Task<> begin_lines(Window window);
  void start_pacers();

  client::Client& client_;
  const SendLoadOptions options_;
  Lines<SendStream> lines_;
  bool started_ = false;
  net::Event stop_;
  net::Event begun_;  // begin_lines() has ended
};

}  // namespace rmq::load
