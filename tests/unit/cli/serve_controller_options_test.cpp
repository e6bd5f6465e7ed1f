#include "tests/support/serve_files.h"

namespace rmq::cli {

TEST_CASE("serve options: a broker under controllers is told where they are") {
  const Files files;
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.advertise = "10.0.0.1";
  raw.configs = {files.write("6.conf", "brokerName=a\nenableControllerMode=true\n")};
  CHECK(refusal(raw, ConfigErrc::Contradiction).find("controllerAddr") != std::string::npos);
  raw.controller = "10.0.0.1:9878;10.0.0.2:9878";
  CHECK(resolved(raw).broker->controller_addr == raw.controller);
  raw.configs.clear();
  const ServeOptions options = resolved(raw);
  CHECK(options.broker->enable_controller_mode);
  CHECK(options.broker->controller_addr == raw.controller);
  CHECK(options.broker->broker_role == roles::broker::BrokerRole::AsyncMaster);
  // A slave until now.
  raw.roles = {"slave"};
  CHECK(resolved(raw).broker->broker_role == roles::broker::BrokerRole::Slave);
  raw.configs = {files.write("9.conf", "brokerRole=SYNC_MASTER\n")};
  CHECK(resolved(raw).broker->broker_role == roles::broker::BrokerRole::SyncMaster);
  raw.configs.clear();
  raw.controller = "nowhere";
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("--controller: 'nowhere' is not"));
  raw.controller = "10.0.0.1:9878";
  raw.roles = {"namesrv"};
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--controller is for a broker"));
}

TEST_CASE("serve options: a controller is told where its etcd is") {
  const Files files;
  RawServeOptions raw;
  raw.roles = {"controller"};
  raw.advertise = "10.0.0.1";
  CHECK(resolved(raw).controller->etcd_endpoints.empty());
  raw.configs = {files.write("7.conf",
                             "controllerDLegerSelfId=n1\n"
                             "controllerDLegerPeers=n0-10.0.0.1:1;n1-10.0.0.1:2\n")};
  CHECK(refusal(raw, ConfigErrc::Refused).find("etcd") != std::string::npos);
  raw.etcd = "http://10.0.0.1:2379,http://10.0.0.2:2379";
  CHECK(resolved(raw).controller->etcd_endpoints == raw.etcd);
  CHECK(resolved(raw).controller->listen_port == 2);
  raw.etcd.clear();
  raw.configs = {
      files.write("8.toml", "[controller]\netcd_endpoints = \"http://10.0.0.1:2379\"\n")};
  CHECK(resolved(raw).controller->etcd_endpoints == "http://10.0.0.1:2379");
  raw.configs.clear();
  raw.etcd = "https://10.0.0.1:2379";
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("--etcd: https://10.0.0.1:2379: TLS"));
  raw.etcd = "10.0.0.1:2379";
  raw.roles = {"namesrv"};
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--etcd is for a controller"));
}

}  // namespace rmq::cli
