#include "client/process_queue.h"

#include <doctest/doctest.h>

#include <ostream>

using namespace rmq;
using namespace rmq::client;

namespace {

std::vector<MessagePtr> messages(std::initializer_list<std::int64_t> offsets) {
  std::vector<MessagePtr> list;
  for (const std::int64_t offset : offsets) {
    list.push_back(std::make_shared<ReceivedMessage>());
    list.back()->offset = QueueOffset{offset};
    list.back()->body = Bytes(100);
  }
  return list;
}

std::vector<std::int64_t> offsets(const std::vector<MessagePtr>& list) {
  std::vector<std::int64_t> values;
  for (const MessagePtr& message : list) values.push_back(message->offset.value);
  return values;
}

}  // namespace

TEST_CASE("the offset to commit is the first that is not done") {
  ProcessQueue queue;
  const auto all = messages({5, 6, 7, 9});
  queue.put(all);
  CHECK(queue.span() == 4);
  CHECK(queue.remove({all[1]}) == QueueOffset{5});
  CHECK(queue.remove({all[0]}) == QueueOffset{7});
  CHECK(queue.remove({all[0]}) == std::nullopt);
  CHECK(queue.remove({all[3]}) == QueueOffset{7});
  CHECK(queue.remove({all[2]}) == QueueOffset{10});
  CHECK(queue.count() == 0);
  CHECK(queue.bytes() == 0);
  CHECK(queue.span() == 0);
}

TEST_CASE("what came before counts once") {
  ProcessQueue queue;
  queue.put(messages({1, 2}));
  const std::size_t bytes = queue.bytes();
  CHECK(bytes >= 200);
  queue.put(messages({2, 3}));
  CHECK(queue.count() == 3);
  CHECK(queue.bytes() == bytes / 2 * 3);
}

TEST_CASE("messages are taken once, in order, until they are put back") {
  ProcessQueue queue;
  queue.put(messages({3, 1, 2, 4}));
  const auto first = queue.take(2);
  CHECK(offsets(first) == std::vector<std::int64_t>{1, 2});
  CHECK(offsets(queue.take(1)) == std::vector<std::int64_t>{3});
  queue.put_back({first[0]});
  CHECK(queue.has_untaken());
  CHECK(offsets(queue.take(9)) == std::vector<std::int64_t>{1, 4});
  CHECK_FALSE(queue.has_untaken());
  CHECK(queue.take(9).empty());
  // Done while taken.
  CHECK(queue.remove(first) == QueueOffset{3});
  queue.put(messages({5}));
  CHECK(offsets(queue.take(9)) == std::vector<std::int64_t>{5});
}
