// EtcdStore: the broker sets of a group of controllers in etcd; any number of them may act.
// Format: a key for each set, "/rmq/<group>/broker-sets/<name>", its value as in broker_set_json.h.
// etcd counts the changes of a key as BrokerSet::version counts those of a set, so the two are the
// same number; a key for which they are not was written by somebody else, and is an error.
// Threads: as ControllerStore, and everything on the io thread that it is made for, which ends
// before it does. Crash: etcd's business.
#pragma once

#include <string>
#include <vector>

#include "etcd/etcd_client.h"
#include "net/io_threads.h"
#include "roles/controller/controller_store.h"

namespace rmq::roles::controller {

class EtcdStore final : public ControllerStore {
 public:
  // `endpoints`: of etcd::parse_endpoints(), at least one.
  EtcdStore(net::IoThread& control, const std::vector<std::string>& endpoints, std::string group);

  // Waits some seconds for an etcd that is about to start. Errors: of etcd::EtcdClient;
  // ProtocolErrc::BodyMalformed.
  Result<> open() override;
  bool is_shared() const override { return true; }
  net::Task<Result<std::optional<replication::BrokerSet>>> load(std::string name) override;
  net::Task<Result<std::vector<replication::BrokerSet>>> list() override;
  net::Task<Result<bool>> swap(replication::BrokerSet next) override;
  net::Task<Result<bool>> remove(std::string name, std::uint64_t version) override;

 private:
  net::Task<Result<>> wait_for_etcd();
  std::string key_of(std::string_view name) const;

  net::IoThread& control_;
  const std::string prefix_;
  const std::string endpoints_;  // as text
  etcd::EtcdClient client_;
};

}  // namespace rmq::roles::controller
