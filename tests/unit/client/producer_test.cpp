#include "client/producer.h"

#include <doctest/doctest.h>

#include <ostream>

#include "client/body_codec.h"
#include "client/client_errc.h"
#include "protocol/message_record.h"
#include "protocol/properties.h"
#include "protocol/send.h"
#include "tests/support/fake_cluster.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using protocol::ResponseCode;
using test::FakeCluster;
using test::FakeServer;

namespace {

constexpr auto kSend = RequestCode::SendMessageV2;

// A broker that stores: it answers with the queue that was asked for.
FakeServer::Answer storing(std::int32_t code = 0) {
  return [code](const protocol::CommandView& request) -> std::optional<net::Response> {
    const auto header = protocol::decode_fields<protocol::SendMessageRequest>(request);
    if (!header) return test::refuse(1, header.error().message());
    protocol::SendMessageResponse response;
    response.msg_id = "0A00000700002A9F0000000000000159";
    response.queue_id = header->queue_id;
    response.queue_offset = QueueOffset{42};
    return test::respond(response, code);
  };
}

FakeServer::Answer refusing(std::int32_t code, std::string remark) {
  return [code, remark](const protocol::CommandView&) -> std::optional<net::Response> {
    return test::refuse(code, remark);
  };
}

Message a_message(std::size_t body_bytes = 5) {
  Message message;
  message.topic = "T";
  message.body = Bytes(body_bytes, std::byte{'x'});
  message.tag = "TagA";
  return message;
}

Result<SendResult> send(FakeCluster& cluster, Producer& producer, Message message,
                        std::chrono::milliseconds timeout = 10s) {
  return cluster.run<Result<SendResult>>([&] { return producer.send(message, timeout); });
}

}  // namespace

TEST_CASE("a send reaches a queue with all its fields, and each queue in turn") {
  FakeCluster cluster;
  std::map<std::int32_t, int> queues;
  protocol::Command last;
  const auto store = storing();
  FakeServer& broker = cluster.add_broker("a", "T", 4, [&](const protocol::CommandView& request) {
    last = protocol::Command(request);
    ++queues[protocol::decode_fields<protocol::SendMessageRequest>(request)->queue_id];
    return store(request);
  });
  Producer producer(cluster.client(), {});
  for (int i = 0; i < 8; ++i) {
    const auto sent = send(cluster, producer, a_message());
    REQUIRE(sent.has_value());
    CHECK(sent->status == SendStatus::Ok);
    CHECK(sent->offset == QueueOffset{42});
    CHECK(sent->queue.broker_name == "a");
    CHECK(sent->broker_address == broker.address());
    CHECK(sent->offset_message_id == "0A00000700002A9F0000000000000159");
    CHECK(sent->message_id.size() == 32);
    CHECK(sent->attempts == 1);
  }
  CHECK(queues == std::map<std::int32_t, int>{{0, 2}, {1, 2}, {2, 2}, {3, 2}});
  CHECK(cluster.name_server->count(RequestCode::GetRouteinfoByTopic) == 1);

  const protocol::CommandView view = last.view();
  CHECK(view.code == 310);
  CHECK(view.find("b") == "T");
  const auto header = protocol::decode_fields<protocol::SendMessageRequest>(view);
  REQUIRE(header.has_value());
  CHECK(header->default_topic == "TBW102");
  CHECK(header->default_topic_queue_nums == 4);
  CHECK(header->sys_flag == 0);
  CHECK(header->born_timestamp == cluster.clock.now_ms());
  CHECK(header->broker_name == "a");
  CHECK(protocol::find_property(header->properties, "TAGS") == "TagA");
  CHECK(as_text(view.body) == "xxxxx");
}

TEST_CASE("a broker that refuses in passing, or is not there, makes way for another") {
  for (const std::int32_t code : {1, 2, 14, 16, 17, 204, 205, 1500}) {
    CAPTURE(code);
    FakeCluster cluster;
    FakeServer& bad = cluster.add_broker("bad", "T", 4, refusing(code, "not now"));
    cluster.add_broker("good", "T", 4, storing());
    Producer producer(cluster.client(), {});
    for (int i = 0; i < 8; ++i) {
      const auto sent = send(cluster, producer, a_message());
      REQUIRE(sent.has_value());
      CHECK(sent->queue.broker_name == "good");
    }
    CHECK(bad.count(kSend) == 4);
  }
  FakeCluster cluster;
  cluster.add_route("gone", "T", 4, "127.0.0.1:1");
  cluster.add_broker("good", "T", 4, storing());
  Producer producer(cluster.client(), {});
  int retried = 0;
  for (int i = 0; i < 8; ++i) {
    const auto sent = send(cluster, producer, a_message());
    REQUIRE(sent.has_value());
    retried += sent->attempts - 1;
  }
  // After its first failure it is avoided.
  CHECK(retried <= 1);
  // A broker that did not do what the route says is reason to ask again.
  CHECK(cluster.name_server->count(RequestCode::GetRouteinfoByTopic) > 1);
}

TEST_CASE("what would fail anywhere fails at once, with the broker's reason and address") {
  FakeCluster cluster;
  FakeServer& a = cluster.add_broker("a", "T", 4, refusing(13, "the message is illegal"));
  FakeServer& b = cluster.add_broker("b", "T", 4, refusing(13, "the message is illegal"));
  Producer producer(cluster.client(), {});
  const auto sent = send(cluster, producer, a_message());
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == ResponseCode::MessageIllegal);
  CHECK(sent.error().detail.find("the message is illegal") != std::string::npos);
  CHECK(sent.error().detail.find("127.0.0.1:") == 0);
  CHECK(a.count(kSend) + b.count(kSend) == 1);
}

TEST_CASE("when all brokers refuse, each is asked once and the last one's reason is told") {
  FakeCluster cluster;
  FakeServer& a = cluster.add_broker("a", "T", 4, refusing(16, "read only"));
  FakeServer& b = cluster.add_broker("b", "T", 4, refusing(16, "read only"));
  Producer producer(cluster.client(), {});
  const auto sent = send(cluster, producer, a_message());
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == ResponseCode::NoPermission);
  CHECK(a.count(kSend) == 1);
  CHECK(b.count(kSend) == 1);
}

TEST_CASE("the only broker is asked again when it is merely busy, as often as retries allow") {
  FakeCluster cluster;
  FakeServer& busy = cluster.add_broker("a", "T", 4, refusing(2, "busy"));
  ProducerOptions options;
  options.retries = 3;
  Producer producer(cluster.client(), options);
  const auto sent = send(cluster, producer, a_message());
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == ResponseCode::SystemBusy);
  CHECK(busy.count(kSend) == 4);
}

TEST_CASE("a broker that hangs leaves time for the next one") {
  FakeCluster cluster;
  cluster.add_broker(
      "hangs", "T", 4,
      [](const protocol::CommandView&) -> std::optional<net::Response> { return {}; });
  cluster.add_broker("works", "T", 4, storing());
  Producer producer(cluster.client(), {});
  for (int i = 0; i < 2; ++i) {
    const auto sent = send(cluster, producer, a_message(), 2s);
    REQUIRE(sent.has_value());
    CHECK(sent->queue.broker_name == "works");
  }
}

TEST_CASE("a dead cluster fails within the time that was given") {
  FakeCluster cluster;
  cluster.add_broker(
      "hangs", "T", 4,
      [](const protocol::CommandView&) -> std::optional<net::Response> { return {}; });
  Producer producer(cluster.client(), {});
  const auto sent = send(cluster, producer, a_message(), 50ms);
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == net::NetErrc::TimedOut);
}

TEST_CASE("codes 10, 11 and 12 mean stored") {
  const std::map<std::int32_t, SendStatus> codes{{10, SendStatus::FlushDiskTimeout},
                                                 {11, SendStatus::SlaveNotAvailable},
                                                 {12, SendStatus::FlushSlaveTimeout}};
  for (const auto& [code, status] : codes) {
    FakeCluster cluster;
    FakeServer& broker = cluster.add_broker("a", "T", 1, storing(code));
    Producer producer(cluster.client(), {});
    const auto sent = send(cluster, producer, a_message());
    REQUIRE(sent.has_value());
    CHECK(sent->status == status);
    CHECK(broker.count(kSend) == 1);
  }
}

TEST_CASE("a topic that does not exist yet goes where TBW102 is, else it is an error") {
  FakeCluster cluster;
  cluster.add_broker("a", "TBW102", 8, storing());
  Producer producer(cluster.client(), {});
  const auto sent = send(cluster, producer, a_message());
  REQUIRE(sent.has_value());
  CHECK(sent->queue.topic == "T");
  CHECK(sent->queue.queue_id < 4);

  FakeCluster strict;
  Producer strict_producer(strict.client(), {});
  const auto refused = send(strict, strict_producer, a_message());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ResponseCode::TopicNotExist);
}

TEST_CASE("long bodies travel compressed, and a limit holds before anything is sent") {
  FakeCluster cluster;
  protocol::Command last;
  const auto store = storing();
  FakeServer& broker = cluster.add_broker("a", "T", 1, [&](const protocol::CommandView& request) {
    last = protocol::Command(request);
    return store(request);
  });
  ProducerOptions options;
  options.body_bytes_max = 10'000;
  Producer producer(cluster.client(), options);
  REQUIRE(send(cluster, producer, a_message(4095)).has_value());
  CHECK(last.body.size() == 4095);

  REQUIRE(send(cluster, producer, a_message(4096)).has_value());
  const protocol::CommandView view = last.view();
  const auto header = protocol::decode_fields<protocol::SendMessageRequest>(view);
  CHECK(header->sys_flag == (protocol::kSysFlagCompressed | kCompressionZlib));
  CHECK(last.body.size() < 4096);
  CHECK(decompress_body(last.body, header->sys_flag, 1 << 20) == a_message(4096).body);

  const auto too_long = send(cluster, producer, a_message(10'001));
  REQUIRE_FALSE(too_long.has_value());
  CHECK(too_long.error().code == ClientErrc::MessageInvalid);
  CHECK(broker.count(kSend) == 2);
}

TEST_CASE("an explicit queue is used and nothing else") {
  FakeCluster cluster;
  cluster.add_broker("good", "T", 4, storing());
  FakeServer& bad = cluster.add_broker("bad", "T", 4, refusing(2, "busy"));
  Producer producer(cluster.client(), {});
  const auto send_to = [&](MessageQueue queue) {
    return cluster.run<Result<SendResult>>(
        [&] { return producer.send_to(a_message(), queue, 10s); });
  };
  const auto sent = send_to({"T", "good", 3});
  REQUIRE(sent.has_value());
  CHECK(sent->queue == MessageQueue{"T", "good", 3});

  const auto refused = send_to({"T", "bad", 0});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ResponseCode::SystemBusy);
  CHECK(bad.count(kSend) == 1);

  CHECK(send_to({"T", "good", 4}).error().code == ClientErrc::QueueUnknown);
  CHECK(send_to({"T", "other", 0}).error().code == ClientErrc::QueueUnknown);
}
