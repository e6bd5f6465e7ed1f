// ReplicaManager: a broker under controllers. It takes an id, hears from them who is master, and
// makes this broker lead or follow: replication::BrokerRole decides, and what it decides is done
// here, one step after the other.
// While nobody is known to be master the broker is fenced: it takes no message and serves none.
// Threads: everything on the control thread, but load() and what says otherwise. Crash: the id, the
// newest epoch seen and the epochs of the log are on disk (replica_identity.h, epoch_file.h).
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/mutex.h"
#include "base/watermark.h"
#include "net/await.h"
#include "net/resolver.h"
#include "replication/broker_role.h"
#include "roles/broker/controlled/controller_client.h"
#include "roles/broker/controlled/replica_identity.h"
#include "roles/broker/replication/epoch_file.h"
#include "roles/broker/replication/epoch_receiver.h"
#include "roles/broker/replication/epoch_sender.h"
#include "roles/broker/replication/leading_reign.h"
#include "roles/broker/replication/replication.h"

namespace rmq::roles::broker {

class Broker;

class ReplicaManager final : public Replication {
 public:
  // How it is made: for a broker that starts, or for one that had no controllers until now.
  enum class Beginning { Start, Live };

  // `broker` and `files` outlive the io threads.
  ReplicaManager(Broker& broker, FileSystem& files, Beginning beginning = Beginning::Start);

  // Owner's thread, the store is open. Errors: of the files; BrokerErrc::MetadataLost.
  Result<> load();
  Result<> listen(const std::string& address, std::uint16_t port) override;
  void start();
  // Returns when nothing here touches the store any more. Also without start().
  net::Task<> stop();
  // Before start(): whether there is a controller that answers.
  net::Task<Result<>> reach_controllers();
  // Before stop(): controllers forget the broker set, so that nobody is elected in it any more.
  net::Task<Result<>> dissolve_set() { return controllers_.forget_set(); }
  // After stop(): so does this broker. Owner's thread. Errors: I/O.
  Result<> forget();
  // False when the broker is still fenced at `deadline`.
  net::Task<bool> settled(SteadyTime deadline);

  // A controller's notice. A set without replicas: those that are known stay.
  void on_notice(const replication::ReignInfo& reign);
  // The store can write no more.
  void on_log_failed();
  protocol::HaStatus ha_status() const override;
  void settings_changed() override;
  void sample() override;

  // --- Any thread

  Standing standing() const override { return standing_.load(std::memory_order_acquire); }
  // The id that controllers gave; 0 before.
  replication::ReplicaId id() const { return id_.load(std::memory_order_acquire); }
  // The reign of this broker; null when it has none.
  std::shared_ptr<LeadingReign> leading() const;
  const EpochFile& epochs() const { return epochs_; }
  bool follows() const override { return receiver_.connected(); }
  bool has_slaves() const override;
  bool waits() const override;
  bool has_enough() const override;
  // Between two reigns nothing more.
  Watermark<ConfirmedOffset>& acknowledged() override { return acknowledged_; }
  void note_own_log() override;

 private:
  EpochReceiver::Hooks hooks();
  net::Task<> run();
  net::Task<> take_id();
  net::Task<Result<>> take_id_once();
  net::Task<> register_broker();
  void tick();
  void beat();
  void perform(replication::RoleActions actions);
  net::Task<> work();

  net::Task<> begin(replication::EndReign action);
  net::Task<> begin(replication::StopFollowing action);
  net::Task<> begin(replication::StoreReign action);
  net::Task<> begin(replication::BecomeMaster action);
  net::Task<> begin(replication::Follow action);
  net::Task<> begin(replication::UpdateSet action);
  net::Task<> begin(replication::AskController action);
  net::Task<> begin(replication::AskToElect action);

  static Error not_master(const char* why);

  // Work on the disk for the reign of `epoch`. While it is full this broker waits, and is silent,
  // so that another one can lead; until that reign is overtaken: the error is NoReign then. Others
  // are fatal() as `what`.
  net::Task<Result<>> on_disk(replication::Epoch epoch, const char* what,
                              std::function<Result<>()> work);

  net::Task<> ask_reign();
  net::Task<> ask_to_elect(std::optional<replication::Epoch> over);
  net::Task<> propose(replication::SetProposal proposal);
  net::Task<> find_and_follow(replication::ReignInfo reign);
  replication::SyncSetConfig set_config() const;
  void set_leading(std::shared_ptr<LeadingReign> leading);
  void set_standing(Standing standing);
  void fatal(const char* what, const Error& why);

  Broker& broker_;
  ReplicaIdentity identity_;
  EpochFile epochs_;
  ControllerClient controllers_;
  EpochSender sender_;
  EpochReceiver receiver_;
  std::optional<replication::BrokerRole> role_;
  std::deque<replication::RoleAction> actions_;
  bool working_ = false;
  bool asking_ = false;
  bool proposing_ = false;
  bool started_ = false;
  bool stopping_ = false;
  bool wants_room_ = false;  // on_disk() waits
  const Beginning beginning_;
  bool was_master_ = false;    // in this process
  bool followed_ = false;      // likewise
  ConfirmedOffset confirmed_;  // of the reigns before
  SteadyTime next_beat_;
  net::Event ended_;    // run() has
  net::Event idle_;     // while working_: work() has ended
  net::Event settled_;  // not fenced, for the first time

  std::atomic<Standing> standing_{Standing::Fenced};
  std::atomic<replication::ReplicaId> id_{0};
  Watermark<ConfirmedOffset> acknowledged_;
  mutable Mutex leading_mutex_;
  std::shared_ptr<LeadingReign> leading_ RMQ_GUARDED_BY(leading_mutex_);
};

}  // namespace rmq::roles::broker
