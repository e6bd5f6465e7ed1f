#include "client/pull_consumer.h"

#include <doctest/doctest.h>

#include <ostream>

#include "client/client_errc.h"
#include "client/queue_reader.h"
#include "protocol/message_record.h"
#include "protocol/offset.h"
#include "protocol/properties.h"
#include "protocol/pull.h"
#include "tests/support/fake_cluster.h"

using namespace rmq;
using namespace rmq::client;
using namespace std::chrono_literals;
using protocol::RequestCode;
using protocol::ResponseCode;
using test::FakeCluster;
using test::FakeServer;

namespace {

// A broker whose every queue has the messages `begin` .. `end` - 1, two of them a pull, with tags
// "even" and "odd". A pull beyond them is held for ever.
struct FakeQueues {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  protocol::Command last_pull;

  std::optional<net::Response> operator()(const protocol::CommandView& request) {
    switch (static_cast<RequestCode>(request.code)) {
      case RequestCode::GetMinOffset:
        return test::respond(protocol::OffsetResponse{.offset = QueueOffset{begin}});
      case RequestCode::GetMaxOffset:
        return test::respond(protocol::OffsetResponse{.offset = QueueOffset{end}});
      case RequestCode::SearchOffsetByTimestamp:
        return test::respond(protocol::OffsetResponse{.offset = QueueOffset{7}});
      default:
        return pull(request);
    }
  }

  std::optional<net::Response> pull(const protocol::CommandView& request) {
    last_pull = protocol::Command(request);
    const auto header = protocol::decode_fields<protocol::PullMessageRequest>(request);
    if (!header) return test::refuse(1, header.error().message());
    const std::int64_t from = header->queue_offset.value;
    protocol::PullMessageResponse response;
    response.min_offset = QueueOffset{begin};
    response.max_offset = QueueOffset{end};
    if (from < begin || from > end) {
      response.next_begin_offset = QueueOffset{from < begin ? begin : end};
      return test::respond(response, 21);
    }
    if (from == end) {
      if ((header->sys_flag & protocol::kPullSuspend) != 0) return std::nullopt;
      response.next_begin_offset = QueueOffset{from};
      return test::respond(response, 19);
    }
    response.next_begin_offset = QueueOffset{std::min(from + 2, end)};
    net::Response found = test::respond(response);
    for (std::int64_t at = from; at < response.next_begin_offset.value; ++at) {
      append(std::string(header->topic), header->queue_id, at, found.body);
    }
    return found;
  }

  static void append(const std::string& topic, QueueId queue, std::int64_t at, Bytes& out) {
    protocol::MessageRecord record;
    record.topic = topic;
    record.queue_id = queue;
    record.queue_offset = QueueOffset{at};
    std::string properties;
    protocol::append_property(properties, "TAGS", at % 2 == 0 ? "even" : "odd");
    record.properties = properties;
    const std::string body = std::to_string(at);
    record.body = as_bytes(body);
    protocol::encode_record(record, out);
  }
};

// FakeServer copies its function; this one is looked at afterwards.
FakeServer::Answer by_reference(FakeQueues& queues) {
  return [&queues](const protocol::CommandView& request) { return queues(request); };
}

struct Read {
  Result<bool> ended = false;
  std::vector<std::int64_t> offsets;
};

// Reads ranges until `count` messages came.
Read read(FakeCluster& cluster, PullConsumer& consumer, std::vector<QueueRange> ranges,
          std::size_t count, QueueReaderOptions options = {}) {
  Read result;
  QueueReaderCallbacks callbacks;
  callbacks.on_message = [&](const ReceivedMessage& message) {
    result.offsets.push_back(message.offset.value);
    return result.offsets.size() < count;
  };
  callbacks.on_trouble = [](const MessageQueue&, const Error&) {};
  result.ended = cluster.run<Result<bool>>(
      [&] { return read_queues(consumer, cluster.threads.control(), ranges, options, callbacks); });
  return result;
}

QueueRange range(QueueId queue, std::int64_t from, std::optional<QueueOffset> until = {}) {
  QueueRange range;
  range.queue = {"T", "a", queue};
  range.from = QueueOffset{from};
  range.until = until;
  return range;
}

}  // namespace

TEST_CASE("queues, offsets and pulls") {
  FakeQueues queues{.begin = 3, .end = 6, .last_pull = {}};
  FakeCluster cluster;
  cluster.add_broker("a", "T", 2, by_reference(queues));
  PullConsumer consumer(cluster.client(), {});
  const auto list =
      cluster.run<Result<std::vector<MessageQueue>>>([&] { return consumer.queues("T"); });
  CHECK(list == std::vector<MessageQueue>{{"T", "a", 0}, {"T", "a", 1}});
  const MessageQueue queue{"T", "a", 1};
  const auto begin = cluster.run<Result<QueueOffset>>([&] { return consumer.begin_offset(queue); });
  const auto end = cluster.run<Result<QueueOffset>>([&] { return consumer.end_offset(queue); });
  const auto at = cluster.run<Result<QueueOffset>>([&] { return consumer.offset_at(queue, 99); });
  CHECK(begin == QueueOffset{3});
  CHECK(end == QueueOffset{6});
  CHECK(at == QueueOffset{7});

  const auto pull = [&](std::int64_t from) {
    return cluster.run<Result<PullResult>>(
        [&] { return consumer.pull(queue, QueueOffset{from}, 0ms); });
  };
  const auto found = pull(3);
  REQUIRE(found.has_value());
  CHECK(found->status == PullStatus::Found);
  REQUIRE(found->messages.size() == 2);
  CHECK(found->messages[0].queue == queue);
  CHECK(as_text(found->messages[1].body) == "4");
  CHECK(found->next == QueueOffset{5});
  CHECK(found->min == QueueOffset{3});
  CHECK(found->max == QueueOffset{6});

  const protocol::CommandView view = queues.last_pull.view();
  const auto header = protocol::decode_fields<protocol::PullMessageRequest>(view);
  CHECK(header->sys_flag == protocol::kPullSubscription);
  CHECK(header->subscription == "*");
  CHECK(header->max_msg_nums == 32);

  CHECK(pull(6)->status == PullStatus::NothingNew);
  CHECK(pull(9)->status == PullStatus::OffsetMoved);
  CHECK(pull(9)->next == QueueOffset{6});
  const auto nowhere = cluster.run<Result<PullResult>>([&] {
    return consumer.pull({"T", "other", 0}, QueueOffset{0}, 0ms);
  });
  CHECK(nowhere.error().code == ClientErrc::BrokerUnknown);
}

TEST_CASE("tags are compared again: brokers compare hashes only") {
  FakeQueues queues{.begin = 0, .end = 2, .last_pull = {}};
  FakeCluster cluster;
  cluster.add_broker("a", "T", 1, by_reference(queues));
  PullConsumerOptions options;
  options.tags = "odd || other";
  PullConsumer consumer(cluster.client(), options);
  const auto found = cluster.run<Result<PullResult>>([&] {
    return consumer.pull({"T", "a", 0}, QueueOffset{0}, 0ms);
  });
  REQUIRE(found.has_value());
  REQUIRE(found->messages.size() == 1);
  CHECK(found->messages[0].tag == "odd");
  CHECK(queues.last_pull.view().find("subscription") == "odd || other");
}

TEST_CASE("reading queues ends at the given ends, from wherever it starts") {
  FakeQueues queues{.begin = 2, .end = 7, .last_pull = {}};
  FakeCluster cluster;
  cluster.add_broker("a", "T", 2, by_reference(queues));
  PullConsumer consumer(cluster.client(), {});
  const Read whole = read(cluster, consumer, {range(0, 0, QueueOffset{6})}, 99);
  CHECK(whole.ended == true);
  CHECK(whole.offsets == std::vector<std::int64_t>{2, 3, 4, 5});
  CHECK(read(cluster, consumer, {range(0, 5, QueueOffset{5})}, 99).offsets.empty());
  CHECK(read(cluster, consumer, {}, 99).ended == true);
  const Read both =
      read(cluster, consumer, {range(0, 2, QueueOffset{7}), range(1, 2, QueueOffset{7})}, 99);
  CHECK(both.offsets.size() == 10);
}

TEST_CASE("reading queues ends when enough came, although brokers hold pulls for ever") {
  FakeQueues queues{.begin = 0, .end = 5, .last_pull = {}};
  FakeCluster cluster;
  FakeServer& broker = cluster.add_broker("a", "T", 2, by_reference(queues));
  PullConsumer consumer(cluster.client(), {});
  // Queue 1 has nothing to give from its end on.
  const Read some = read(cluster, consumer, {range(1, 5), range(0, 1)}, 3);
  CHECK(some.ended == true);
  CHECK(some.offsets == std::vector<std::int64_t>{1, 2, 3});
  CHECK(broker.count(RequestCode::PullMessage) >= 3);
}

TEST_CASE("reading queues ends at its deadline") {
  FakeQueues queues{.begin = 0, .end = 1, .last_pull = {}};
  FakeCluster cluster;
  cluster.add_broker("a", "T", 1, by_reference(queues));
  PullConsumer consumer(cluster.client(), {});
  QueueReaderOptions options;
  options.deadline = std::chrono::steady_clock::now() + 100ms;
  const Read late = read(cluster, consumer, {range(0, 0)}, 2, options);
  CHECK(late.ended == false);
  CHECK(late.offsets == std::vector<std::int64_t>{0});
}

TEST_CASE("reading queues fails on what will not pass, and tries again after what may") {
  FakeCluster cluster;
  int pulls = 0;
  FakeQueues queues{.begin = 0, .end = 4, .last_pull = {}};
  cluster.add_broker("a", "T", 1, [&](const protocol::CommandView& request) {
    if (++pulls <= 2) return std::optional(test::refuse(2, "busy"));
    if (pulls > 3) return std::optional(test::refuse(16, "not readable"));
    return queues(request);
  });
  PullConsumer consumer(cluster.client(), {});
  QueueReaderOptions options;
  options.retry_after = 1ms;
  const Read failed = read(cluster, consumer, {range(0, 0)}, 99, options);
  REQUIRE_FALSE(failed.ended.has_value());
  CHECK(failed.ended.error().code == ResponseCode::NoPermission);
  CHECK(failed.offsets == std::vector<std::int64_t>{0, 1});
  CHECK(pulls == 4);
}
