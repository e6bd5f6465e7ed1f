// EpochReceiver: the slave's end of the epoch stream (replication/epoch_stream.h), towards masters
// of any make. What the own log has and the master's has not is cut, then blocks are written and
// acknowledged, as replication/follower.h says. The store follows from the first handshake on, and
// shows nothing beyond what is confirmed.
// A session that ends is tried again while the same reign is followed: after 100 ms, growing to 1
// s; after 5 s when the replica must be seeded again, which the log says as an error. Threads:
// follow(), stop_following(), status() and sample() on the control thread; the other getters on
// any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/blocking_pool.h"
#include "base/clock.h"
#include "base/units.h"
#include "net/await.h"
#include "net/byte_stream.h"
#include "net/io_threads.h"
#include "net/resolver.h"
#include "net/task.h"
#include "replication/follower.h"
#include "replication/message.h"
#include "roles/broker/broker_config.h"
#include "roles/broker/replication/epoch_file.h"
#include "roles/broker/replication/receiver_status.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

class EpochReceiver {
 public:
  struct Hooks {
    // Log and queues end at `end`, where the log was cut: group offsets and timers may not lie
    // beyond. Also once after a start, without a cut, for one that a crash interrupted. On a thread
    // of the pool; the session goes on when it returns.
    std::function<void(PhysicalOffset end)> on_cut;
    // The master, or a block, is of a newer reign than the one that is followed. On the control
    // thread.
    std::function<void(replication::Epoch)> on_newer_epoch;
  };

  // All outlive the io threads. `disk`: where the log is cut and the epoch file written.
  EpochReceiver(const BrokerConfig& config, storage::MessageStore& store, EpochFile& epochs,
                BlockingPool& disk, net::IoThreads& threads, Clock& clock, Hooks hooks);

  // The log has no epochs because it was copied from this set's master when there were no
  // controllers (replication::FollowerLog). Before follow().
  void log_is_copy() { log_is_copy_ = true; }
  // Follows this reign from now on, as replica `self`, whatever was followed before; nothing when
  // it is followed already. `ha_address`: "host:port" of the master's HA port. `confirmed`: what
  // this broker knows to be confirmed, from its own reign above all.
  void follow(replication::ReplicaId self, const replication::ReignInfo& reign,
              std::string ha_address, ConfirmedOffset confirmed = {});
  // Ends the session at once. The task is done when nothing of it touches the store any more, which
  // may take as long as a cut does.
  net::Task<> stop_following();

  // A master sends its log, or that there is nothing new.
  bool connected() const { return shared_end_.load(std::memory_order_acquire) >= 0; }
  // Up to here the own log is the master's for certain; none before a session has got so far. What
  // the master says of places in its log, group offsets above all, holds up to here only.
  std::optional<PhysicalOffset> shared_end() const;
  // What is known to be confirmed, of the own log. It only grows.
  ConfirmedOffset confirmed() const {
    return ConfirmedOffset{confirmed_.load(std::memory_order_acquire)};
  }

  ReceiverStatus status() const;
  // Once a second.
  void sample();

 private:
  struct Target {
    replication::ReplicaId self = 0;
    replication::Epoch epoch;
    std::string address;

    friend bool operator==(const Target&, const Target&) = default;
  };
  struct Outcome {
    Error why;
    bool transferred = false;                 // it got as far as that
    std::optional<replication::Epoch> newer;  // that the other end knows
  };
  struct Session;

  net::Task<> run(std::uint64_t number, Target target);
  net::Task<Outcome> run_session(std::uint64_t number, Target target);
  net::Task<> wait_for_end(std::optional<net::Event> session);
  void note_end(const Outcome& outcome);

  // On the session's thread.
  net::Task<Result<>> receive(std::shared_ptr<Session> session);
  net::Task<Result<>> take_parts(std::shared_ptr<Session> session, ByteView bytes);
  net::Task<Result<>> on_handshake(std::shared_ptr<Session> session,
                                   replication::MasterHandshake handshake);
  net::Task<Result<>> on_block(std::shared_ptr<Session> session, replication::BlockHead head);
  net::Task<Result<>> on_disk(std::function<Result<>()> work);
  net::Task<> send_reports(std::shared_ptr<Session> session);
  net::Task<Result<>> wait_for_news(std::shared_ptr<Session> session, PhysicalOffset told);
  void note_log(Session& session);
  void raise_confirmed(std::int64_t to);
  // On the pool.
  Result<> cut(const Target& target, PhysicalOffset to, PhysicalOffset confirmed);

  const BrokerConfig& config_;
  storage::MessageStore& store_;
  EpochFile& epochs_;
  BlockingPool& disk_;
  net::IoThreads& threads_;
  Clock& clock_;
  const Hooks hooks_;
  bool log_is_copy_ = false;
  net::Resolver resolver_;
  std::atomic<std::int64_t> shared_end_{-1};
  std::atomic<std::int64_t> confirmed_{0};
  std::atomic<std::int64_t> received_{0};  // bytes
  std::atomic<std::int64_t> last_read_ms_{0};
  std::atomic<std::int64_t> last_write_ms_{0};

  // The session's own, one after the other.
  std::int64_t begun_reign_ = -1;  // MessageStore::reign() of the one that was begun here last
  bool clamped_ = false;           // Hooks::on_cut was called since the start

  // The control thread's own.
  std::optional<Target> target_;
  std::uint64_t number_ = 0;                // of the target
  net::Event changed_;                      // set when target_ changes
  std::optional<net::Event> session_over_;  // there while a session may touch the store
  std::shared_ptr<net::ByteStream> stream_;
  std::string failure_;  // in the log last
  std::int64_t sampled_ = 0;
  std::int64_t received_in_second_ = 0;
};

}  // namespace rmq::roles::broker
