// EpochSender: the master's end of the epoch stream (replication/epoch_stream.h), towards slaves of
// any make: each gets the log from where it agrees with this one, and what is confirmed; what it
// reports counts in the reign that is led. A session lives in one reign.
// Threads: sessions on their stream's; the rest on any, one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/blocking_pool.h"
#include "base/mutex.h"
#include "base/result.h"
#include "net/io_threads.h"
#include "net/stream_server.h"
#include "net/task.h"
#include "replication/feeder.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/replication/leading_reign.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

class EpochSender {
 public:
  // All outlive the io threads. `disk`: where cold parts of the log are read.
  EpochSender(const BrokerConfig& config, storage::MessageStore& store, BlockingPool& disk,
              net::IoThreads& threads);

  // Errors: of StreamServer::listen().
  Result<> listen(const std::string& address, std::uint16_t port);
  std::uint16_t port() const { return server_.port(); }
  void start();
  // Closes all sessions and accepts no more.
  void stop();

  // Slaves are served in this reign from now on. The reign before has been ended.
  void lead(std::shared_ptr<LeadingReign> reign);
  // Closes all sessions; slaves that come are sent away until lead(). What a session still does
  // comes to nothing once LeadingReign::end() was called.
  void end_reign();

 private:
  struct Session;

  std::shared_ptr<Session> open(std::shared_ptr<net::ByteStream> stream);
  void close_streams() RMQ_REQUIRES(mutex_);
  net::Task<> serve(std::shared_ptr<net::ByteStream> stream);
  net::Task<Result<>> shake_hands(std::shared_ptr<Session> session);
  net::Task<Result<>> hear_reports(std::shared_ptr<Session> session);
  net::Task<> send_log(std::shared_ptr<Session> session);
  net::Task<Result<>> send_block(std::shared_ptr<Session> session, replication::BlockHead head);
  net::Task<Result<>> wait_for_more(std::shared_ptr<Session> session);
  net::Task<> limit_bandwidth(std::shared_ptr<Session> session, std::int64_t bytes);
  net::Task<Result<storage::RecordSpan>> read_log(PhysicalOffset at, std::size_t size);
  replication::FeederLog log_of(const Session& session) const;
  replication::FeederLog segment_of(const Session& session) const;

  const BrokerConfig& config_;
  storage::MessageStore& store_;
  BlockingPool& disk_;
  Mutex mutex_;
  std::shared_ptr<LeadingReign> reign_ RMQ_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<net::ByteStream>> streams_ RMQ_GUARDED_BY(mutex_);
  LeadingReign::Connection last_connection_ RMQ_GUARDED_BY(mutex_) = 0;
  net::StreamServer server_;
};

}  // namespace rmq::roles::broker
