// LogSender: the master's end of the classic replication stream (protocol/ha_stream.h), towards
// slaves of any make: sends each the log from where it asks, and hears how far it has it.
// It differs from Java in this: a slave without a log gets all there is, not the last segment only;
// one that asks for what this log does not have is told so in our log and sent away, and an
// acknowledgement of what was never sent counts for nothing (docs/differences.md).
// Threads: serve() on the stream's; the rest on the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/blocking_pool.h"
#include "base/result.h"
#include "net/io_threads.h"
#include "net/stream_server.h"
#include "net/task.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/replication/slave_table.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

class LogSender {
 public:
  // All outlive the io threads. `disk`: where cold parts of the log are read.
  LogSender(const BrokerConfig& config, storage::MessageStore& store, SlaveTable& slaves,
            BlockingPool& disk, net::IoThreads& threads);

  // Errors: of StreamServer::listen().
  Result<> listen(const std::string& address, std::uint16_t port);
  void start();
  void stop();

 private:
  net::Task<> serve(std::shared_ptr<net::ByteStream> stream);
  Result<PhysicalOffset> begin_of(PhysicalOffset asked) const;
  net::Task<> send_log(std::shared_ptr<net::ByteStream> stream, std::uint64_t id,
                       PhysicalOffset from);
  net::Task<Result<storage::RecordSpan>> read_log(PhysicalOffset at);

  const BrokerConfig& config_;
  storage::MessageStore& store_;
  SlaveTable& slaves_;
  BlockingPool& disk_;
  net::StreamServer server_;
};

}  // namespace rmq::roles::broker
