#include "cli/serve_options.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tests/support/serve_files.h"

namespace rmq::cli {
namespace {

TEST_CASE("serve options: none: name server and master, on loopback, below ./rmq-data") {
  const ServeOptions options = resolved({});
  REQUIRE(options.namesrv);
  REQUIRE(options.broker);
  CHECK(options.namesrv->listen_address == "127.0.0.1");
  CHECK(options.namesrv->listen_port == 9876);
  CHECK(options.namesrv->kv_config_path == "/srv/here/rmq-data/namesrv/kvConfig.json");
  CHECK(options.broker->listen_address == "127.0.0.1");
  CHECK(options.broker->listen_port == 10911);
  CHECK(options.broker->broker_ip1 == "127.0.0.1");
  CHECK(options.broker->broker_ip2 == "127.0.0.1");
  CHECK(options.broker->broker_name == "host-1");
  CHECK(options.broker->store.root_directory == "/srv/here/rmq-data/store");
  CHECK(options.broker_uses_own_namesrv);
  CHECK(options.broker->namesrv_addr.empty());  // NAMESRV_ADDR is for brokers without their own
  CHECK(options.data_directory == "/srv/here/rmq-data");
  CHECK(options.warnings.empty());
}

TEST_CASE("serve options: --data and --port 0 alone keep to loopback") {
  RawServeOptions raw;
  raw.data = "/srv/x/../mq";
  raw.port = 0;
  const ServeOptions options = resolved(raw);
  CHECK(options.broker->listen_address == "127.0.0.1");
  CHECK(options.namesrv->listen_port == 0);
  CHECK(options.broker->listen_port == 0);
  CHECK(options.broker->store.root_directory == "/srv/mq/store");
  CHECK(options.data_directory == "/srv/mq");
}

TEST_CASE("serve options: a role listens on all interfaces and advertises a real address") {
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.namesrv = "127.0.0.1:9876";
  const ServeOptions options = resolved(raw);
  CHECK_FALSE(options.namesrv);
  CHECK(options.broker->listen_address == "0.0.0.0");
  CHECK(options.broker->namesrv_addr == "127.0.0.1:9876");
  CHECK_FALSE(options.broker_uses_own_namesrv);
  CHECK_FALSE(options.broker->broker_ip1.empty());
  CHECK(options.broker->broker_ip1 != "0.0.0.0");
  CHECK(any_contains(options.notes, "advertises " + options.broker->broker_ip1));
}

TEST_CASE("serve options: who advertises an IPv6 address listens there, too") {
  const Files files;
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.configs = {files.write("b.conf", "brokerIP1=2001:db8::7\n")};
  CHECK(resolved(raw).broker->listen_address == "::");
  raw.listen = "0.0.0.0";
  CHECK(resolved(raw).broker->listen_address == "0.0.0.0");
}

TEST_CASE("serve options: --listen and --advertise win") {
  RawServeOptions raw;
  raw.roles = {"namesrv", "master"};
  raw.listen = "127.0.0.2";
  ServeOptions options = resolved(raw);
  CHECK(options.namesrv->listen_address == "127.0.0.2");
  CHECK(options.broker->listen_address == "127.0.0.2");
  CHECK(options.broker->broker_ip1 == "127.0.0.2");
  raw.advertise = "203.0.113.9";
  options = resolved(raw);
  CHECK(options.broker->broker_ip1 == "203.0.113.9");
  CHECK(options.broker->broker_ip2 == "203.0.113.9");
  CHECK(options.notes.empty());
}

TEST_CASE("serve options: name servers: --namesrv, then the file, then NAMESRV_ADDR") {
  const Files files;
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.advertise = "10.0.0.1";
  CHECK(resolved(raw).broker->namesrv_addr == "10.9.8.7:9876");
  raw.configs = {files.write("broker.conf", "namesrvAddr=a:1;b:2\n")};
  CHECK(resolved(raw).broker->namesrv_addr == "a:1;b:2");
  raw.namesrv = "c:3";
  CHECK(resolved(raw).broker->namesrv_addr == "c:3");
  raw.namesrv.clear();
  raw.configs.clear();
  Environment bare = kEnvironment;
  bare.namesrv_addr.clear();
  CHECK(any_contains(resolved(raw, bare).warnings, "has no name server"));
}

TEST_CASE("serve options: a Java broker.conf as it is") {
  const Files files;
  RawServeOptions raw;
  raw.configs = {files.write("broker.conf",
                             "# the shipped sample\n"
                             "brokerClusterName = DefaultCluster\n"
                             "brokerName = broker-a\n"
                             "brokerId = 0\n"
                             "deleteWhen = 04\n"
                             "fileReservedTime = 48\n"
                             "brokerRole = ASYNC_MASTER\n"
                             "flushDiskType = SYNC_FLUSH\n"
                             "listenPort=10921\n"
                             "sendMessageThreadPoolNums=128\n"
                             "enabledAppendPropCRC=true\n"
                             "brokerIP1=10.1.2.3\n")};
  const ServeOptions options = resolved(raw);
  CHECK_FALSE(options.namesrv);
  REQUIRE(options.broker);
  CHECK(options.broker->broker_name == "broker-a");
  CHECK(options.broker->listen_port == 10921);
  CHECK(options.broker->broker_ip1 == "10.1.2.3");
  CHECK(options.broker->broker_ip2 == "10.1.2.3");
  CHECK(options.broker->listen_address == "0.0.0.0");
  CHECK(options.broker->store.flush_disk_type == storage::FlushDiskType::Sync);
  CHECK(options.broker->store.root_directory == "/home/rocketmq/store");
  CHECK(options.data_directory == "/home/rocketmq/store");
  CHECK(options.broker->store.file_reserved_time == std::chrono::hours(48));
  CHECK(options.broker->other_keys.size() == 2);
  CHECK(any_contains(options.warnings, "enabledAppendPropCRC: 'true'"));
  CHECK_FALSE(any_contains(options.warnings, "sendMessageThreadPoolNums"));
}

TEST_CASE("serve options: store paths: --data beats the file, the file beats the home directory") {
  const Files files;
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.configs = {files.write("b.conf", "brokerName=a\nstorePathRootDir=/data/store\n")};
  CHECK(resolved(raw).broker->store.root_directory == "/data/store");
  raw.data = "/elsewhere";
  CHECK(resolved(raw).broker->store.root_directory == "/elsewhere/store");
  raw.data.clear();
  raw.configs = {files.write("c.conf", "brokerName=a\n")};
  Environment homeless = kEnvironment;
  homeless.home.clear();
  const Result<ServeOptions> refused = resolve(raw, homeless);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("HOME is not set; use --data DIR") != std::string::npos);
}

TEST_CASE("serve options: two Java files, one per role, and what is typed once for both") {
  const Files files;
  RawServeOptions raw;
  raw.configs = {"namesrv=" + files.write("n.conf", "listenPort=9900\nkvConfigPath=kv.json\n"),
                 "master=" + files.write("b.conf", "listenPort=10921\n")};
  const ServeOptions options = resolved(raw);
  CHECK(options.namesrv->listen_port == 9900);
  CHECK(options.namesrv->kv_config_path == "/srv/here/kv.json");
  CHECK(options.broker->listen_port == 10921);
  CHECK(options.broker_uses_own_namesrv);
}

TEST_CASE("serve options: one TOML file for both roles") {
  const Files files;
  const std::string both = files.write(
      "all.toml",
      "[namesrv]\nlisten_port = 9900\n[broker]\nname = \"b\"\nadvertise = \"10.0.0.1\"\n"
      "[store]\nmax_message_bytes = 100\n");
  RawServeOptions raw;
  raw.configs = {both};
  ServeOptions options = resolved(raw);
  CHECK(options.namesrv->listen_port == 9900);
  CHECK(options.broker->broker_name == "b");
  CHECK(options.broker->store.max_message_bytes == 100);
  CHECK(options.broker->store.root_directory == "/srv/here/rmq-data/store");
  raw.roles = {"master"};
  options = resolved(raw);
  CHECK_FALSE(options.namesrv);
  CHECK(options.broker->broker_name == "b");
}

TEST_CASE("serve options: the role of a file") {
  const Files files;
  const std::string unclear = files.write("port.conf", "listenPort=9900\n");
  const std::string broker = files.write("b.conf", "brokerName=a\n");
  const std::string namesrv = files.write("n.conf", "kvConfigPath=/kv\n");
  const std::string toml = files.write("b.toml", "[broker]\nname='a'\n");
  RawServeOptions raw;
  raw.configs = {unclear};
  CHECK(refusal(raw, ConfigErrc::Contradiction) ==
        unclear + " does not say which role it is for; write --config ROLE=" + unclear);
  raw.configs = {namesrv};
  CHECK_FALSE(resolved(raw).broker);
  raw.roles = {"namesrv"};
  raw.configs = {unclear};
  CHECK(resolved(raw).namesrv->listen_port == 9900);
  raw.configs = {broker};
  CHECK(refusal(raw, ConfigErrc::Contradiction) ==
        broker + " is a file for broker, but it is given to namesrv");
  raw.configs = {toml};
  CHECK(refusal(raw, ConfigErrc::Contradiction) ==
        toml + " is a file for broker, but it is given to namesrv");
  raw.configs = {"master=" + broker};
  CHECK(refusal(raw, ConfigErrc::Contradiction) ==
        "--config master=" + broker + ": --role does not name master");
  raw.roles = {"namesrv", "master"};
  raw.configs = {broker, toml};
  CHECK(refusal(raw, ConfigErrc::Contradiction) ==
        "two config files for broker: " + broker + " and " + toml);
  raw.configs = {namesrv, broker};
  CHECK(resolved(raw).broker->broker_name == "a");
  raw.configs = {files.path("absent.conf")};
  CHECK(refusal(raw, ConfigErrc::Unreadable).starts_with(files.path("absent.conf")));
}

TEST_CASE("serve options: roles that are wrong") {
  RawServeOptions raw;
  raw.roles = {"broker"};
  CHECK(refusal(raw, ConfigErrc::BadValue) ==
        "'broker' is not a role; roles are namesrv, master, slave and controller");
  raw.roles = {"controller", "controller"};
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--role names controller twice"));
  raw.roles = {"master", "master"};
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--role names master twice"));
  raw.roles = {"master", "slave"};
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--role names slave twice"));
}

TEST_CASE("serve options: a controller, from RocketMQ's controller.conf") {
  const Files files;
  const std::string conf = files.write(
      "controller.conf",
      "controllerDLegerGroup=g\ncontrollerDLegerPeers=n0-10.0.0.1:9878\n"
      "controllerDLegerSelfId=n0\ncontrollerStorePath=/srv/c\nenableElectUncleanMaster=true\n"
      "scanNotActiveBrokerInterval=3000\nisProcessReadEvent=true\ncontrollerThreadPoolNums=4\n");
  for (const bool typed : {false, true}) {
    RawServeOptions raw;
    raw.configs = {conf};
    if (typed) raw.roles = {"controller"};
    const ServeOptions options = resolved(raw);
    CHECK_FALSE(options.namesrv);
    CHECK_FALSE(options.broker);
    REQUIRE(options.controller);
    CHECK(options.controller->group == "g");
    CHECK(options.controller->listen_port == 9878);
    CHECK(options.controller->listen_address == "0.0.0.0");
    CHECK(options.controller->enable_elect_unclean_master);
    CHECK(options.controller->store_path == "/srv/c");
    CHECK(options.data_directory == "/srv/c");
    CHECK(any_contains(options.warnings, "scanNotActiveBrokerInterval"));
    CHECK(any_contains(options.warnings, "isProcessReadEvent"));
    CHECK_FALSE(any_contains(options.warnings, "controllerThreadPoolNums"));
    CHECK(options.controller->other_keys.size() == 3);
  }
  RawServeOptions raw;
  raw.configs = {files.write("several.conf",
                             "controllerDLegerPeers=n0-a:1;n1-b:2\ncontrollerDLegerSelfId=n0\n")};
  CHECK(refusal(raw, ConfigErrc::Refused).find("names 2 controllers") != std::string::npos);
  raw.configs = {
      files.write("other.conf", "controllerDLegerPeers=n0-a:1\ncontrollerDLegerSelfId=n1\n")};
  refusal(raw, ConfigErrc::BadValue);
  raw.configs = {conf};
  raw.port = 1;
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--port 1: controller.peers"));
  raw.port = 9878;
  CHECK(resolved(raw).controller->listen_port == 9878);
}

TEST_CASE("serve options: a controller without a file") {
  RawServeOptions raw;
  raw.roles = {"controller"};
  raw.advertise = "10.0.0.1";
  const ServeOptions options = resolved(raw);
  CHECK(options.controller->listen_port == 9878);
  CHECK(options.controller->advertised_host == "10.0.0.1");
  CHECK(options.controller->store_path == "/srv/here/rmq-data/controller");
  raw.roles = {"namesrv", "master", "controller"};
  raw.port = 0;
  CHECK(resolved(raw).controller->listen_port == 0);
  raw.port.reset();
  const Files files;
  raw.configs = {files.write("c.toml", "[controller]\nlisten_port = 9876\n")};
  CHECK(refusal(raw, ConfigErrc::Contradiction) ==
        "name server and controller both have port 9876");
  raw.configs = {files.write("b.toml", "[controller]\nlisten_port = 10911\n")};
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("the controller's port 10911"));
}

TEST_CASE("serve options: a controller in a name server's process") {
  const Files files;
  const std::string peers = "controllerDLegerPeers=n0-10.0.0.1:9878\ncontrollerDLegerSelfId=n0\n";
  RawServeOptions raw;
  raw.configs = {files.write("namesrv.conf",
                             "listenPort=9000\nbindAddress=10.0.0.1\n"
                             "enableControllerInNamesrv=true\n" +
                                 peers)};
  const ServeOptions options = resolved(raw);
  REQUIRE(options.namesrv);
  REQUIRE(options.controller);
  CHECK(options.namesrv->listen_port == 9000);
  CHECK(options.controller->listen_port == 9878);
  CHECK(options.controller->listen_address == "10.0.0.1");
  CHECK(options.controller->store_path == "/home/rocketmq/controller");
  CHECK(options.warnings.empty());
  // Shown with the name server's, as RocketMQ does.
  CHECK(options.namesrv->other_keys.size() == 2);
  raw.configs = {files.write("off.conf", "enableControllerInNamesrv=false\n" + peers)};
  CHECK_FALSE(resolved(raw).controller);
  raw.configs = {files.write("n.toml",
                             "[namesrv]\nenable_controller_in_namesrv = true\n"
                             "[controller]\nlisten_port = 0\n")};
  CHECK(resolved(raw).controller->listen_port == 0);
}

TEST_CASE("serve options: the role of a broker, from --role and from its file") {
  using roles::broker::BrokerRole;
  const Files files;
  RawServeOptions raw;
  raw.advertise = "10.0.0.1";
  const std::string slave = files.write("1.conf", "brokerRole=SLAVE\nbrokerId=3\n");
  for (const char* role : {"", "slave"}) {
    raw.roles = *role == '\0' ? std::vector<std::string>{} : std::vector<std::string>{role};
    for (const char* prefix : {"", "slave="}) {
      raw.configs = {prefix + slave};
      const ServeOptions options = resolved(raw);
      CHECK(options.broker->broker_role == BrokerRole::Slave);
      CHECK(options.broker->broker_id == 3);
    }
  }
  raw.roles = {"master"};
  raw.configs = {slave};
  CHECK(refusal(raw, ConfigErrc::Contradiction).ends_with("use --role=slave"));
  raw.roles = {"slave"};
  raw.configs = {files.write("0.conf", "brokerName=a\n")};
  CHECK(resolved(raw).broker->broker_role == BrokerRole::Slave);
  CHECK(resolved(raw).broker->broker_id == 1);
  CHECK(any_contains(resolved(raw).warnings, "this slave has 1"));
  raw.roles = {"master"};
  raw.configs = {files.write("2.conf", "brokerRole=SYNC_MASTER\n")};
  CHECK(resolved(raw).broker->broker_role == BrokerRole::SyncMaster);
  CHECK(resolved(raw).broker->in_sync_replicas == 2);
  CHECK(resolved(raw).warnings.empty());
  raw.configs = {files.write("3.conf", "brokerRole=SYNC_MASTER\ninSyncReplicas=1\n")};
  CHECK(any_contains(resolved(raw).warnings, "waits for no slave"));
  // As in the files that RocketMQ comes with for controllers.
  const std::string elected = "brokerId=-1\nbrokerRole=SLAVE\nenableControllerMode=true\n";
  raw.configs = {files.write("4.conf", elected + "controllerAddr=127.0.0.1:9878\n")};
  CHECK(resolved(raw).broker->enable_controller_mode);
  CHECK(resolved(raw).warnings.empty());
}

TEST_CASE("serve options: what a broker cannot do is refused, not ignored") {
  const Files files;
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.advertise = "10.0.0.1";
  raw.configs = {files.write("4.conf", "brokerName=a\nbrokerId=3\n")};
  const ServeOptions options = resolved(raw);
  CHECK(options.broker->broker_id == 0);
  CHECK(any_contains(options.warnings, "a master's is 0"));
  for (const char* line : {"enableDLegerCommitLog=true", "storeType=defaultRocksDB",
                           "aclEnable=true", "authenticationEnabled=true", "enableLmq=true"}) {
    CAPTURE(line);
    raw.configs = {files.write("5.conf", std::string("brokerName=a\n") + line + "\n")};
    refusal(raw, ConfigErrc::Refused);
  }
}

TEST_CASE("serve options: ports") {
  const Files files;
  RawServeOptions raw;
  raw.port = 10000;
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--port 10000 does not say whose"));
  raw.roles = {"master"};
  raw.advertise = "10.0.0.1";
  CHECK(resolved(raw).broker->listen_port == 10000);
  raw.port = 2;
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("broker port 2:"));
  raw.port.reset();
  raw.roles = {"namesrv", "master"};
  for (const int port : {9878, 9876, 9875}) {  // its VIP port, itself and its HA port are 9876
    CAPTURE(port);
    raw.configs = {
        files.write("b.conf", "brokerName=a\nlistenPort=" + std::to_string(port) + "\n")};
    CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("the name server's port 9876"));
  }
}

TEST_CASE("serve options: values that cannot be right") {
  RawServeOptions raw;
  raw.listen = "localhost";
  CHECK(refusal(raw, ConfigErrc::BadValue) == "--listen: 'localhost' is not an IP address");
  raw.listen.clear();
  raw.advertise = "0.0.0.0";
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("--advertise: 0.0.0.0 is nobody's address"));
  raw.advertise = "a b";
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("--advertise: 'a b' is not"));
  raw.advertise.clear();
  raw.namesrv = "host";
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("--namesrv: 'host' is not host:port"));
  raw.namesrv.clear();
  const int closed = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(closed);
  raw.ready_fd = closed;
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("--ready-fd " + std::to_string(closed)));
}

TEST_CASE("serve options: --data that is a store itself is refused") {
  const Files files;
  std::filesystem::create_directories(files.path("store/commitlog"));
  RawServeOptions raw;
  raw.data = files.path("store");
  CHECK(refusal(raw, ConfigErrc::BadValue).find("is a store itself") != std::string::npos);
  raw.data = files.path("");
  CHECK(resolved(raw).broker->store.root_directory == files.path("store"));
}

TEST_CASE("serve options: as they are typed") {
  CLI::App app;
  RawServeOptions raw;
  add_serve_options(Command(app), raw);
  std::vector<std::string> words{"--role=namesrv,master",
                                 "--config",
                                 "master=b.conf",
                                 "--config",
                                 "n.toml",
                                 "--port",
                                 "0",
                                 "--ready-fd",
                                 "3",
                                 "--data",
                                 "d",
                                 "--advertise",
                                 "h",
                                 "--listen",
                                 "::",
                                 "--namesrv",
                                 "a:1;b:2"};
  std::reverse(words.begin(), words.end());
  app.parse(words);
  CHECK(raw.roles == std::vector<std::string>{"namesrv", "master"});
  CHECK(raw.configs == std::vector<std::string>{"master=b.conf", "n.toml"});
  CHECK(raw.port == 0);
  CHECK(raw.ready_fd == 3);
  CHECK(raw.data == "d");
  CHECK(raw.advertise == "h");
  CHECK(raw.listen == "::");
  CHECK(raw.namesrv == "a:1;b:2");
  CHECK_THROWS(app.parse("--port 65536"));
}

}  // namespace
}  // namespace rmq::cli
