// What other controllers of the group have changed: a store that several share is read again all
// the time, because it tells nobody.
#include <chrono>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "roles/controller/controller.h"

namespace rmq::roles::controller {
namespace {

using namespace std::chrono_literals;
using replication::BrokerSet;

constexpr std::chrono::milliseconds kPause = 250ms;

}  // namespace

net::Task<> Controller::refresh_loop() {
  bool failed = false;
  for (;;) {
    const bool stopping = co_await stopping_.wait_until(std::chrono::steady_clock::now() + kPause);
    if (stopping) co_return;
    const std::uint64_t changes = changes_;
    const Result<std::vector<BrokerSet>> sets = co_await store_->list();
    if (!sets && !failed) {
      log::error("controller", "the store cannot be read; brokers go on as they are",
                 kv("why", sets.error().message()));
    }
    if (sets && failed) log::info("controller", "the store can be read again");
    failed = !sets;
    // What this controller has changed meanwhile may be newer than what it has read.
    if (sets && changes == changes_) take_over(*sets);
  }
}

void Controller::take_over(const std::vector<BrokerSet>& sets) {
  BrokerSets next;
  for (const BrokerSet& set : sets) {
    const auto before = sets_.find(set.name);
    for (const auto& [id, replica] : set.replicas) {
      // It spoke to another controller first.
      const bool is_new = before == sets_.end() || !before->second.knows(id);
      if (is_new) expect({set.name, id});
    }
    next[set.name] = set;
  }
  sets_ = std::move(next);
  note_early();
}

// A broker sends its first heartbeat to all controllers as soon as one of them has put it on
// record: it is as good with those that read of it later.
void Controller::note_early() {
  for (auto it = early_.begin(); it != early_.end();) {
    const Heard& heard = it->second;
    const bool known = is_on_record(it->first);
    const bool late = now() - heard.at >= heard.beat.timeout;
    if (known && !late) {
      note(heard);
      if (heard.closed) connection_closed(heard.connection);
    }
    it = known || late ? early_.erase(it) : std::next(it);
  }
}

}  // namespace rmq::roles::controller
