// LeadingReign: one reign of this broker as master: its SyncSet (replication/sync_set.h), shared by
// the streams of its slaves, by senders and by the control thread. Whenever confirmed grows it
// tells the store, and then whoever waits for `acknowledged`. It ends with end(); who waits for
// `acknowledged` is told by the owner of that watermark. Threads: any. What is called when
// `acknowledged` grows may ask, but must not change this reign. Crash: nothing of it is kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/units.h"
#include "base/watermark.h"
#include "replication/epoch_history.h"
#include "replication/message.h"
#include "replication/sync_set.h"
#include "storage/message_store.h"

namespace rmq::roles::broker {

class LeadingReign {
 public:
  using Connection = replication::SyncSet::Connection;
  using ReplicaId = replication::ReplicaId;

  // `history` has the entry of this reign. The own log counts as acknowledged up to what is
  // flushed, or only appended. The store leads, and shows what start.confirmed says, and so does
  // `acknowledged`; both are used until end().
  LeadingReign(replication::SyncSetConfig config, replication::ReignStart start,
               replication::EpochHistory history, storage::MessageStore& store,
               Watermark<ConfirmedOffset>& acknowledged, bool ack_flushed);

  // --- The stream of a slave. Errors, upon which it is to be closed: those of SyncSet; StaleEpoch
  // after end().

  // `address`: "ip:port" of the slave's end.
  Result<> connect(const replication::SlaveHandshake& slave, Connection connection,
                   std::string address);
  void disconnect(ReplicaId replica, Connection connection);
  void note_sent(Connection connection, PhysicalOffset end);
  Result<> ack(ReplicaId replica, Connection connection, PhysicalOffset offset);

  // --- What happens

  // The store has appended or flushed. Cheap while others than this broker hold confirmed back.
  void note_own_log();
  // The controller's word on the set, and which replicas there are.
  void on_set(const replication::ReignInfo& info);
  // With fewer in the set nobody may write, from now on.
  void set_min_in_sync(std::size_t members);
  // Every few hundred milliseconds. What to propose to the controller now, if anything.
  std::optional<replication::SetProposal> tick();
  // Once a second, for peers().
  void sample();
  // From when it returns, nothing of it touches the store or `acknowledged`, reports are refused,
  // and nobody may write.
  void end();

  // --- What is true

  // Error: NotEnoughInSync, with the reason; StaleEpoch after end(). For every send: no lock while
  // all is well.
  Result<> may_write() const;
  replication::Epoch epoch() const { return epoch_; }
  const replication::EpochHistory& history() const { return history_; }
  ConfirmedOffset confirmed() const { return confirmed_.value(); }
  // For those who pass it on.
  Watermark<ConfirmedOffset>& confirmed_mark() { return confirmed_; }
  replication::ReplicaIds members() const;
  replication::SetEpoch set_epoch() const;

  struct Peer {
    ReplicaId replica = 0;
    std::string address;  // "ip:port" of its end
    bool learner = false;
    bool in_set = false;
    PhysicalOffset sent;
    PhysicalOffset acked;
    std::int64_t sent_in_second = 0;  // bytes, between the last two calls of sample()
  };
  // Those that are connected.
  std::vector<Peer> peers() const;
  bool has_peers() const;

 private:
  struct Session {
    Peer peer;
    PhysicalOffset sampled;
  };
  // What has come of a change, to be published when the lock is gone.
  struct Reached {
    ConfirmedOffset confirmed;
    ConfirmedOffset acknowledged;
  };

  Reached take_own_log() RMQ_REQUIRES(mutex_);
  void publish(const Reached& reached);

  const replication::Epoch epoch_;
  const replication::EpochHistory history_;
  storage::MessageStore& store_;
  Watermark<ConfirmedOffset>& acknowledged_;
  const bool ack_flushed_;

  mutable Mutex mutex_;
  replication::SyncSet set_ RMQ_GUARDED_BY(mutex_);
  std::map<Connection, Session> sessions_ RMQ_GUARDED_BY(mutex_);
  bool over_ RMQ_GUARDED_BY(mutex_) = false;

  Mutex publish_mutex_;  // never together with mutex_
  bool silent_ RMQ_GUARDED_BY(publish_mutex_) = false;
  std::atomic<std::int64_t> told_acknowledged_;

  std::atomic<bool> may_write_{false};
  // Confirmed is held back by the own log: news of it matters.
  std::atomic<bool> own_is_last_{true};
  Watermark<ConfirmedOffset> confirmed_;
};

}  // namespace rmq::roles::broker
