// FirstOffsets: where queues ended when a consumer group first wanted their topic. A group that
// consumes from the last offset begins there when it has committed nothing yet. Java tells such a
// group "no offset", it then asks for the end of the queue, and what was sent in between is
// skipped. File: rmq/first-offsets.json, in the format of consumerOffset.json. Threads: find() and
// save_if_changed() on any, remember() on the control thread. Crash: a group that first registered
// within the last moments may begin at the ends it finds after the restart.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "roles/broker/offsets/offset_table.h"

namespace rmq::roles::broker {

class FirstOffsets {
 public:
  // `root` is the store directory. All references outlive this object.
  FirstOffsets(Clock& clock, FileSystem& files, const std::string& root);

  // Told after something was remembered. Set before the first client.
  void on_change(std::function<void()> listener) { on_change_ = std::move(listener); }

  // Errors: as OffsetTable::load(). Before any other call, once.
  Result<> load();

  // Remembers where the queues [0, `queues`) of `topic` end, unless the group is known there.
  using EndOf = std::function<QueueOffset(QueueId)>;
  void remember(std::string_view group, std::string_view topic, QueueId queues,
                const EndOf& end_of);
  // Nothing for a group that never registered. 0 for a queue made after it did.
  std::optional<QueueOffset> find(std::string_view group, std::string_view topic,
                                  QueueId queue_id) const;

  // As OffsetTable::clamp().
  void clamp(const std::function<QueueOffset(std::string_view, QueueId)>& end_of) {
    table_.clamp(end_of);
  }
  void erase_topic(std::string_view topic);
  // The group is new again.
  void erase_group(std::string_view group);

  // Errors: errno.
  Result<> save_if_changed() { return table_.save_if_changed(); }

 private:
  OffsetTable table_;
  std::function<void()> on_change_;
};

}  // namespace rmq::roles::broker
