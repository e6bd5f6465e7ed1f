// ReplicaIdentity: the id that controllers know this broker by, in its store.
// Format (RocketMQ BrokerMetadata.java, TempBrokerMetadata.java): <store>/brokerIdentity is
// "cluster#broker#id". While the id is applied for, brokerIdentity-temp has the same and
// "#check code": a start after a crash applies with the same code again, and gets the id if it was
// given before. Threads: one at a time. Crash: each file is old or new, whole.
#pragma once

#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "replication/replica_ids.h"

namespace rmq::roles::broker {

class ReplicaIdentity {
 public:
  struct Owner {
    std::string cluster;
    std::string broker;
  };
  struct Application {
    replication::ReplicaId id = 0;
    std::string check_code;
  };

  ReplicaIdentity(FileSystem& files, std::string store_root, Owner owner);

  // Errors: BrokerErrc::MetadataLost when a file cannot be understood or is another broker's.
  Result<> load();
  std::optional<replication::ReplicaId> id() const { return id_; }
  // Not answered yet, or the answer was lost.
  const std::optional<Application>& application() const { return application_; }

  // On disk when they return.
  Result<> apply(Application application);
  Result<> accept();   // the application
  Result<> give_up();  // the id was taken: another one will be applied for
  Result<> forget();   // the broker leaves its controllers

 private:
  std::string path() const { return root_ + "/brokerIdentity"; }
  std::string temporary_path() const { return root_ + "/brokerIdentity-temp"; }
  std::string text_of(replication::ReplicaId id) const;
  Result<std::optional<Application>> read(const std::string& path);

  FileSystem& files_;
  const std::string root_;
  const Owner owner_;
  std::optional<replication::ReplicaId> id_;
  std::optional<Application> application_;
};

}  // namespace rmq::roles::broker
