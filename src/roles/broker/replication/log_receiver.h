// LogReceiver: the slave's end of the classic replication stream (protocol/ha_stream.h), towards
// masters of any make: asks for the log from where the own one ends, writes what comes, and
// acknowledges what is whole, sound and written; under sync flush what is on disk.
// A slave without a log asks for all that the master has. Java's master takes an offset of 0 for
// its last segment only, so the slave then asks from byte 1 on and adds byte 0 itself: it is the
// first byte of a record's size, 0 in any record below 16 MiB; if it was not, the record is not
// sound.
// A connection that ends is tried again after a while, for good.
// Threads: start(), stop() and set_master() on the control thread; the getters on any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "net/await.h"
#include "net/byte_stream.h"
#include "net/io_threads.h"
#include "net/resolver.h"
#include "net/rpc_client.h"
#include "net/task.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/replication/receiver_status.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

// Where a slave finds its master; empty while nobody knows.
struct MasterAddress {
  std::string broker;  // "ip:port"
  std::string ha;      // "ip:port"

  friend bool operator==(const MasterAddress&, const MasterAddress&) = default;
};

class LogReceiver {
 public:
  // All outlive the io threads; `client` asks the master how far its log goes back.
  LogReceiver(const BrokerConfig& config, storage::MessageStore& store, net::RpcClient& client,
              net::IoThreads& threads, Clock& clock);

  void start();
  void stop();
  // After stop(): nothing of it touches the store any more.
  net::Task<> ended();
  // Follows this one from now on.
  void set_master(MasterAddress master);

  // A master is sending: its log, or that there is nothing new.
  bool connected() const { return connected_.load(std::memory_order_acquire); }

  // Both on the control thread; sample() once a second.
  ReceiverStatus status() const;
  void sample();

 private:
  net::Task<> run();
  net::Task<Result<>> follow(const MasterAddress& master);
  net::Task<PhysicalOffset> first_wanted(const MasterAddress& master);
  net::Task<Result<>> receive(std::shared_ptr<net::ByteStream> stream, PhysicalOffset asked);
  net::Task<> acknowledge(std::shared_ptr<net::ByteStream> stream, PhysicalOffset told);
  Result<> take(PhysicalOffset asked, PhysicalOffset at, ByteView bytes);

  const BrokerConfig& config_;
  storage::MessageStore& store_;
  net::RpcClient& client_;
  net::IoThreads& threads_;
  Clock& clock_;
  net::Resolver resolver_;
  std::atomic<bool> connected_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> received_{0};  // bytes
  std::atomic<std::int64_t> last_read_ms_{0};
  std::atomic<std::int64_t> last_write_ms_{0};

  // The control thread's own.
  MasterAddress master_;
  net::Event changed_;  // set by set_master() and stop()
  net::Event ended_;    // run() has
  std::shared_ptr<net::ByteStream> stream_;
  std::string failure_;  // in the log last, so that it is not said again and again
  std::int64_t sampled_ = 0;
  std::int64_t received_in_second_ = 0;
};

}  // namespace rmq::roles::broker
