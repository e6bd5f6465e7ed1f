#include "replication/replica_ids.h"

#include <doctest/doctest.h>

#include <ostream>

#include "replication/group_offset.h"

using namespace rmq;
using namespace rmq::replication;

TEST_CASE("replica ids: a set in order") {
  ReplicaIds ids{3, 1, 3};
  CHECK(ids == ReplicaIds{1, 3});
  CHECK(to_string(ids) == "{1,3}");
  ids.add(ReplicaIds{2, 3});
  CHECK(ids.size() == 3);
  CHECK(ids.contains(2));
  CHECK(ids.contains(ReplicaIds{1, 2}));
  CHECK(!ids.contains(ReplicaIds{1, 4}));
  ids.remove(1);
  CHECK(to_string(ids) == "{2,3}");
  ids.clear();
  CHECK(ids.empty());
  CHECK(to_string(ids) == "{}");
}

TEST_CASE("group offsets: cut with the queue, merged up to its end, never back") {
  CHECK(cut_offset(QueueOffset{9}, QueueOffset{5}) == QueueOffset{5});
  CHECK(cut_offset(QueueOffset{4}, QueueOffset{5}) == QueueOffset{4});
  CHECK(merge_offset(QueueOffset{3}, QueueOffset{4}, QueueOffset{9}) == QueueOffset{4});
  CHECK(merge_offset(QueueOffset{3}, QueueOffset{2}, QueueOffset{9}) == QueueOffset{3});
  CHECK(merge_offset(QueueOffset{3}, QueueOffset{12}, QueueOffset{9}) == QueueOffset{9});
}
