// A whole name server on a free port, spoken to through RpcClient.
#include <doctest/doctest.h>

#include "tests/support/name_server_fixture.h"

namespace rmq::roles::namesrv {

TEST_CASE_FIXTURE(NameServerFixture, "name server: registration, route, unknown topic") {
  start();
  const Command unknown = route("T");
  CHECK(is(unknown, ResponseCode::TopicNotExist));
  CHECK(unknown.remark ==
        "No topic route info in name server for the topic: T\n"
        "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.");

  const Command registered = register_broker();
  CHECK(is(registered, ResponseCode::Success));
  CHECK(registered.fields.empty());
  CHECK(registered.body.empty());

  const std::string old_form =
      R"({"brokerDatas":[{"brokerAddrs":{0:"1.1.1.1:10911"},"brokerName":"b","cluster":"c",)"
      R"("enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"b",)"
      R"("perm":6,"readQueueNums":16,"topicSysFlag":0,"writeQueueNums":16}]})";
  CHECK(text(route("T", 400)) == old_form);
  std::string new_form = old_form;
  new_form.replace(new_form.find("{0:"), 3, "{\"0\":");
  CHECK(text(route("T")) == new_form);
  protocol::GetRouteinfoByTopicRequest standard;
  standard.topic = "T";
  standard.accept_standard_json_only = true;
  CHECK(text(ask(RequestCode::GetRouteinfoByTopic, standard, {}, 1)) == new_form);
}

TEST_CASE_FIXTURE(NameServerFixture, "name server: registrations that are refused") {
  start();
  const Command single = call(*broker, RequestCode::RegisterBroker, registration(), topics({"T"}));
  CHECK(is(single, ResponseCode::SystemError));
  CHECK(single.remark == "register broker failed");

  protocol::RegisterBrokerRequest request = registration();
  const std::string body = topics({"T", "U"});
  request.body_crc32 = protocol::registration_crc32(as_bytes(body)) ^ 1;
  const Command checksum = call(*broker, RequestCode::RegisterBroker, request, body);
  CHECK(is(checksum, ResponseCode::SystemError));
  CHECK(checksum.remark == "crc32 not match");
  request.body_crc32 ^= 1;
  CHECK(is(call(*broker, RequestCode::RegisterBroker, request, body), ResponseCode::Success));

  request = registration();
  request.broker_addr = "";
  CHECK(is(call(*broker, RequestCode::RegisterBroker, request, body), ResponseCode::SystemError));
  CHECK(is(call(*broker, RequestCode::RegisterBroker, registration(), "{broken"),
           ResponseCode::SystemError));
  CHECK(is(call(*broker, RequestCode::RegisterBroker, NoFields{}, body),
           ResponseCode::InvalidParameter));
}

TEST_CASE_FIXTURE(NameServerFixture,
                  "name server: the compressed registration that Java's header does not announce") {
  start();
  protocol::RegisterBrokerBody body;
  body.topics.resize(2);
  body.topics[0].topic = "T";
  body.topics[1].topic = "U";
  const Bytes packed = protocol::encode_registration_compressed(body);
  CHECK(is(call(*broker, RequestCode::RegisterBroker, registration(), as_text(packed)),
           ResponseCode::Success));
  CHECK(is(route("U"), ResponseCode::Success));
}

TEST_CASE_FIXTURE(NameServerFixture,
                  "name server: a slave is told its master, and the order configuration") {
  start();
  register_broker();
  CHECK(is(
      ask(RequestCode::PutKvConfig, protocol::PutKvConfigRequest{"ORDER_TOPIC_CONFIG", "T", "b:4"}),
      ResponseCode::Success));
  const Command slave = call(*broker, RequestCode::RegisterBroker, registration(1), topics({}));
  CHECK(field(slave, "masterAddr") == "1.1.1.1:10911");
  CHECK(field(slave, "haServerAddr") == "1.1.1.1:10912");
  CHECK(text(slave) == R"({"table":{"T":"b:4"}})");
  CHECK(
      text(ask(RequestCode::GetBrokerMemberGroup,
               protocol::GetBrokerMemberGroupRequest{"c", "b"})) ==
      R"({"brokerMemberGroup":{"brokerAddrs":{0:"1.1.1.1:10911",1:"1.1.1.2:10911"},"brokerName":"b","cluster":"c"}})");
}

TEST_CASE_FIXTURE(NameServerFixture, "name server: a broker is gone with its connection") {
  start();
  register_broker();
  CHECK(is(route("T"), ResponseCode::Success));
  broker.reset();
  wait_until_gone("T");
  CHECK(text(ask(RequestCode::GetBrokerClusterInfo, NoFields{})) ==
        R"({"brokerAddrTable":{},"clusterAddrTable":{}})");
}

TEST_CASE_FIXTURE(NameServerFixture,
                  "name server: a silent broker expires, and its connection is closed") {
  start();
  register_broker();
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  std::function<net::Task<Result<std::shared_ptr<net::Connection>>>()> connection =
      [this, address] { return broker->connection(address, 5s); };
  const auto used =
      net::run_blocking<Result<std::shared_ptr<net::Connection>>>(threads.data(0), connection);
  REQUIRE(used);
  clock.advance(kBrokerTimeout);
  protocol::BrokerHeartbeatRequest heartbeat;
  heartbeat.cluster_name = "c";
  heartbeat.broker_name = "b";
  heartbeat.broker_addr = "1.1.1.1:10911";
  CHECK(is(ask(RequestCode::BrokerHeartbeat, heartbeat), ResponseCode::Success));
  clock.advance(1ms);
  CHECK(is(route("T"), ResponseCode::Success));
  clock.advance(kBrokerTimeout);
  wait_until_gone("T");
  while (!(*used)->closed()) std::this_thread::yield();
}

TEST_CASE_FIXTURE(NameServerFixture, "name server: data versions, and unregistration") {
  start();
  protocol::QueryDataVersionRequest query;
  query.cluster_name = "c";
  query.broker_name = "b";
  query.broker_addr = "1.1.1.1:10911";
  const std::string version = protocol::encode_data_version({0, 0, 1});
  Command answer = ask(RequestCode::QueryDataVersion, query, version);
  CHECK(field(answer, "changed") == "true");
  CHECK(answer.body.empty());
  register_broker();
  answer = ask(RequestCode::QueryDataVersion, query, version);
  CHECK(field(answer, "changed") == "false");
  CHECK(text(answer) == version);
  CHECK(field(ask(RequestCode::QueryDataVersion, query, protocol::encode_data_version({0, 0, 2})),
              "changed") == "true");
  CHECK(field(ask(RequestCode::QueryDataVersion, query), "changed") == "true");

  CHECK(is(ask(RequestCode::UnregisterBroker,
               protocol::UnregisterBrokerRequest{"b", "1.1.1.1:10911", "c", 0}),
           ResponseCode::Success));
  CHECK(is(route("T"), ResponseCode::TopicNotExist));
}

TEST_CASE_FIXTURE(NameServerFixture, "name server: lists, permissions, topics") {
  start();
  register_broker();
  CHECK(text(ask(RequestCode::GetAllTopicListFromNameserver, NoFields{})) ==
        R"({"topicList":["T","TBW102"]})");
  CHECK(text(ask(RequestCode::GetTopicsByCluster, protocol::GetTopicsByClusterRequest{"c"})) ==
        R"({"topicList":["T","TBW102"]})");
  CHECK(text(ask(RequestCode::GetSystemTopicListFromNs, NoFields{})) ==
        R"({"brokerAddr":"1.1.1.1:10911","topicList":["b","c"]})");
  for (const RequestCode code : {RequestCode::GetUnitTopicList, RequestCode::GetHasUnitSubTopicList,
                                 RequestCode::GetHasUnitSubUnunitTopicList}) {
    CHECK(text(ask(code, NoFields{})) == R"({"topicList":[]})");
  }
  CHECK(
      text(ask(RequestCode::GetBrokerClusterInfo, NoFields{})) ==
      R"({"brokerAddrTable":{"b":{"brokerAddrs":{0:"1.1.1.1:10911"},"brokerName":"b","cluster":"c",)"
      R"("enableActingMaster":false}},"clusterAddrTable":{"c":["b"]}})");
  CHECK(field(ask(RequestCode::WipeWritePermOfBroker, protocol::WipeWritePermOfBrokerRequest{"b"}),
              "wipeTopicCount") == "2");
  CHECK(text(route("T")).find(R"("perm":4)") != std::string::npos);
  CHECK(field(ask(RequestCode::AddWritePermOfBroker, protocol::AddWritePermOfBrokerRequest{"b"}),
              "addTopicCount") == "2");
  CHECK(text(route("T")).find(R"("perm":6)") != std::string::npos);

  CHECK(is(
      ask(RequestCode::RegisterTopicInNamesrv, protocol::RegisterTopicInNamesrvRequest{{"New"}},
          R"({"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":1,"writeQueueNums":1}]})"),
      ResponseCode::Success));
  CHECK(is(route("New"), ResponseCode::Success));
  ask(RequestCode::DeleteTopicInNamesrv, protocol::DeleteTopicInNamesrvRequest{"New", "other"});
  CHECK(is(route("New"), ResponseCode::Success));
  ask(RequestCode::DeleteTopicInNamesrv, protocol::DeleteTopicInNamesrvRequest{"New", "c"});
  CHECK(is(route("New"), ResponseCode::TopicNotExist));
  ask(RequestCode::DeleteTopicInNamesrv, protocol::DeleteTopicInNamesrvRequest{"T", ""});
  CHECK(is(route("T"), ResponseCode::TopicNotExist));
}

TEST_CASE_FIXTURE(NameServerFixture,
                  "name server: key-value table over the wire, and again after a restart") {
  start();
  const protocol::GetKvConfigRequest get{"N", "k"};
  Command answer = ask(RequestCode::GetKvConfig, get);
  CHECK(is(answer, ResponseCode::QueryNotFound));
  CHECK(answer.remark == "No config item, Namespace: N Key: k");
  answer = ask(RequestCode::GetKvlistByNamespace, protocol::GetKvlistByNamespaceRequest{"N"});
  CHECK(is(answer, ResponseCode::QueryNotFound));
  CHECK(answer.remark == "No config item, Namespace: N");
  CHECK(is(ask(RequestCode::PutKvConfig, protocol::PutKvConfigRequest{"N", "k", "v"}),
           ResponseCode::Success));
  CHECK(is(ask(RequestCode::PutKvConfig, get), ResponseCode::InvalidParameter));  // no value

  server->stop();
  stopped.push_back(std::move(server));
  start();
  CHECK(field(ask(RequestCode::GetKvConfig, get), "value") == "v");
  CHECK(text(ask(RequestCode::GetKvlistByNamespace, protocol::GetKvlistByNamespaceRequest{"N"})) ==
        R"({"table":{"k":"v"}})");
  CHECK(is(ask(RequestCode::DeleteKvConfig, protocol::DeleteKvConfigRequest{"N", "k"}),
           ResponseCode::Success));
  CHECK(is(ask(RequestCode::GetKvConfig, get), ResponseCode::QueryNotFound));
}

TEST_CASE_FIXTURE(NameServerFixture, "name server: ordered topics and zones in routes") {
  config.order_message_enable = true;
  start();
  register_broker();
  CHECK(text(route("T")).find("orderTopicConf") == std::string::npos);
  ask(RequestCode::PutKvConfig, protocol::PutKvConfigRequest{"ORDER_TOPIC_CONFIG", "T", "b:4"});
  CHECK(text(route("T")).find(R"("orderTopicConf":"b:4")") != std::string::npos);

  protocol::RegisterBrokerRequest zoned = registration();
  zoned.broker_name = "z";
  zoned.broker_addr = "2.2.2.2:10911";
  zoned.zone_name = "Z1";
  call(*broker, RequestCode::RegisterBroker, zoned, topics({"T", "TBW102"}));
  protocol::GetRouteinfoByTopicRequest request;
  request.topic = "T";
  request.zone_name = "z1";
  request.zone_mode = true;
  std::string body = text(ask(RequestCode::GetRouteinfoByTopic, request));
  CHECK(body.find("2.2.2.2") != std::string::npos);
  CHECK(body.find("{0:") != std::string::npos);
  CHECK(body.find("1.1.1.1") == std::string::npos);
  CHECK(body.find(R"("brokerName":"b")") == std::string::npos);
  request.zone_mode = false;
  body = text(ask(RequestCode::GetRouteinfoByTopic, request));
  CHECK(body.find("1.1.1.1") != std::string::npos);
}

TEST_CASE_FIXTURE(NameServerFixture, "name server: settings over the wire") {
  config.other_keys = {{"rocketmqHome", "/opt/mq"}};
  start();
  const std::string before = text(ask(RequestCode::GetNamesrvConfig, NoFields{}));
  CHECK(before.find("enableAllTopicList=true\n") != std::string::npos);
  CHECK(before.find("rocketmqHome=/opt/mq\n") != std::string::npos);

  CHECK(is(
      ask(RequestCode::UpdateNamesrvConfig, NoFields{}, "enableAllTopicList=false\nunknownKey=1\n"),
      ResponseCode::Success));
  const Command disabled = ask(RequestCode::GetAllTopicListFromNameserver, NoFields{});
  CHECK(is(disabled, ResponseCode::SystemError));
  CHECK(disabled.remark == "disable");

  const Command black = ask(RequestCode::UpdateNamesrvConfig, NoFields{},
                            "enableAllTopicList=true\nkvConfigPath=/x\n");
  CHECK(is(black, ResponseCode::NoPermission));
  CHECK(black.remark == "Can not update config in black list.");
  CHECK(is(
      ask(RequestCode::UpdateNamesrvConfig, NoFields{}, "enableAllTopicList=true\nlistenPort=1\n"),
      ResponseCode::SystemError));
  CHECK(is(ask(RequestCode::UpdateNamesrvConfig, NoFields{},
               "enableAllTopicList=true\nenableTopicList=perhaps\n"),
           ResponseCode::SystemError));
  CHECK(is(ask(RequestCode::GetAllTopicListFromNameserver, NoFields{}), ResponseCode::SystemError));

  ask(RequestCode::UpdateNamesrvConfig, NoFields{}, "enableTopicList=false\n");
  CHECK(is(ask(RequestCode::GetTopicsByCluster, protocol::GetTopicsByClusterRequest{"c"}),
           ResponseCode::SystemError));
}

TEST_CASE_FIXTURE(NameServerFixture, "name server: no routes while brokers get time to register") {
  config.need_wait_for_service = true;
  start();
  register_broker();
  const Command early = route("T");
  CHECK(is(early, ResponseCode::SystemError));
  CHECK(early.remark == "name server not ready");
  clock.advance(config.wait_seconds_for_service);
  CHECK(is(route("T"), ResponseCode::Success));
}

TEST_CASE_FIXTURE(NameServerFixture,
                  "name server: what it does not serve, and a table that cannot be read") {
  start();
  const Command unknown = ask(RequestCode::SendMessageV2, NoFields{});
  CHECK(is(unknown, ResponseCode::RequestCodeNotSupported));
  CHECK(unknown.remark == " request type 310 not supported");

  NamesrvConfig broken = config;
  broken.kv_config_path = directory + "/broken.json";
  REQUIRE(write_file_atomically(FileSystem::posix(), broken.kv_config_path, as_bytes("{")));
  {
    NameServer other(threads, broken, clock, FileSystem::posix());
    CHECK_FALSE(other.start());
  }
  NamesrvConfig taken = config;
  taken.listen_port = server->port();
  NameServer second(threads, taken, clock, FileSystem::posix());
  const auto started = second.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == net::NetErrc::AddressInUse);
}

}  // namespace rmq::roles::namesrv
