#include "roles/broker/replication/table_sync.h"

#include <utility>

#include "base/log.h"
#include "net/await_pool.h"
#include "protocol/group.h"
#include "protocol/group_body.h"
#include "protocol/header_fields.h"
#include "protocol/offset.h"
#include "protocol/registration_body.h"
#include "protocol/response_codes.h"
#include "protocol/table_sync.h"
#include "protocol/topic.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {
namespace {

using namespace std::chrono_literals;
using protocol::Command;
using protocol::RequestCode;

constexpr std::chrono::milliseconds kTimeout = 30s;  // as Java's slave
constexpr std::chrono::milliseconds kPeriod = 300ms;
constexpr std::chrono::milliseconds kPeriodWithJava = 10s;
constexpr std::chrono::milliseconds kRetry = 1s;

// The four requests have this field in common.
struct KnownVersion {
  std::string_view known{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("rmqVersion", self.known, protocol::kOptional);
  }
};

}  // namespace

void TableSync::start() {
  if (std::exchange(started_, true)) return;
  std::function<net::Task<>()> loop = [this] { return run(); };
  net::spawn(broker_.threads.control(), "table sync", std::move(loop));
}

void TableSync::stop() {
  stopping_ = true;
  changed_.set();
}

void TableSync::set_master(std::string address) {
  if (address == master_) return;
  master_ = std::move(address);
  forget();
  changed_.set();
}

void TableSync::forget() {
  for (Table* table : {&topics_, &groups_, &offsets_, &delays_}) table->version.clear();
  pending_.reset();
}

net::Task<> TableSync::run() {
  while (!stopping_) {
    changed_ = net::Event();
    const net::Event changed = changed_;
    std::chrono::milliseconds pause = kRetry;
    if (!master_.empty()) {
      const Result<> synced = co_await sync_all();
      if (stopping_) co_return;
      std::string failure = synced ? std::string() : synced.error().message();
      if (!failure.empty() && failure != failure_) {
        log::warn("replication", "the master's tables do not come", kv("master", master_),
                  kv("why", failure));
      }
      failure_ = std::move(failure);
      if (synced) pause = of_ours_ ? kPeriod : kPeriodWithJava;
    }
    (void)co_await changed.wait_until(std::chrono::steady_clock::now() + pause);
  }
}

net::Task<Result<>> TableSync::sync_all() {
  RMQ_CO_CHECK(co_await sync_topics());
  RMQ_CO_TRY(const std::optional<Command> groups, co_await fetch(groups_));
  if (groups) {
    RMQ_CO_TRY(const auto body, protocol::decode_subscription_groups(as_text(groups->body)));
    broker_.groups.follow(body);
  }
  RMQ_CO_CHECK(co_await sync_offsets());
  co_return co_await sync_delays();
}

// The table, unless it is here as it is there.
net::Task<Result<std::optional<Command>>> TableSync::fetch(Table& table) {
  const std::string master = master_;
  if (master.empty()) co_return std::optional<Command>();  // since the table before
  KnownVersion header;
  header.known = table.version.empty() ? protocol::kNoTableVersion : table.version;
  Command request = protocol::make_request(table.code, header);
  RMQ_CO_TRY(Command answer, co_await broker_.outgoing.call(master, std::move(request), kTimeout));
  if (stopping_ || master != master_) co_return std::optional<Command>();
  if (answer.code != 0) {
    co_return fail(static_cast<protocol::ResponseCode>(answer.code), answer.remark);
  }
  RMQ_CO_TRY(const auto state,
             protocol::decode_fields<protocol::TableVersionResponse>(answer.view()));
  of_ours_ = !state.version.empty();
  if (of_ours_ && state.version == table.version) co_return std::optional<Command>();
  table.version = state.version;
  co_return std::optional<Command>(std::move(answer));
}

net::Task<Result<>> TableSync::sync_topics() {
  RMQ_CO_TRY(const std::optional<Command> answer, co_await fetch(topics_));
  if (!answer) co_return Result<>{};
  // The table is what the oldest brokers registered with.
  RMQ_CO_TRY(const auto body,
             protocol::decode_registration(answer->body, protocol::kVersion3_0_11 - 1));
  const PhysicalOffset end{broker_.store->dispatched().value().value};
  for (const std::string& topic : broker_.topics.follow(body.topics, body.data_version)) {
    log::info("replication", "topic deleted on the master", kv("topic", topic));
    std::function<Result<>()> work = [this, topic, end] {
      return broker_.store->delete_messages(topic, end);
    };
    RMQ_CO_CHECK(co_await net::run_on<void>(broker_.disk, std::move(work)));
    broker_.readers.erase_topic(topic);
    broker_.first_offsets.erase_topic(topic);
  }
  co_return Result<>{};
}

net::Task<Result<>> TableSync::sync_offsets() {
  RMQ_CO_TRY(const std::optional<Command> answer, co_await fetch(offsets_));
  if (!answer) co_return Result<>{};
  RMQ_CO_TRY(auto commits, broker_.offsets.follow(as_text(answer->body)));
  Result<> given = co_await give_back(std::move(commits));
  if (!given) offsets_.version.clear();  // again, whether or not the master's change
  co_return given;
}

net::Task<Result<>> TableSync::give_back(std::vector<OffsetTable::Commit> commits) {
  for (const OffsetTable::Commit& commit : commits) {
    const protocol::UpdateConsumerOffsetRequest header{.consumer_group = commit.group,
                                                       .topic = commit.topic,
                                                       .queue_id = commit.queue_id,
                                                       .commit_offset = commit.offset,
                                                       .forward_only = true};
    Command request = protocol::make_request(RequestCode::UpdateConsumerOffset, header);
    RMQ_CO_TRY(const Command answer,
               co_await broker_.outgoing.call(master_, std::move(request), kTimeout));
    const auto code = static_cast<protocol::ResponseCode>(answer.code);
    // It may come to know the group: with its first consumer there.
    if (code == protocol::ResponseCode::SubscriptionGroupNotExist) continue;
    const bool topic_is_gone = code == protocol::ResponseCode::TopicNotExist;
    if (answer.code != 0 && !topic_is_gone) co_return fail(code, answer.remark);
    broker_.offsets.given_back(commit);
    const char* const what = topic_is_gone ? "an offset committed here is of a deleted topic"
                                           : "an offset committed here is given to the master";
    log::info("replication", what, kv("group", commit.group), kv("topic", commit.topic),
              kv("queue", commit.queue_id), kv("offset", commit.offset.value));
  }
  co_return Result<>{};
}

net::Task<Result<>> TableSync::sync_delays() {
  RMQ_CO_TRY(const std::optional<Command> answer, co_await fetch(delays_));
  if (!answer) co_return follow_delays();
  RMQ_CO_TRY(const auto state,
             protocol::decode_fields<protocol::TableVersionResponse>(answer->view()));
  if (!of_ours_) {
    pending_.reset();
    co_return broker_.delay_progress.follow(as_text(answer->body), std::nullopt);
  }
  pending_ = Pending{std::string(as_text(answer->body)), state.position.value_or(0),
                     state.log_end.value_or(0)};
  co_return follow_delays();
}

Result<> TableSync::follow_delays() {
  if (!pending_ || broker_.store->dispatched().value().value < pending_->log_end) return {};
  const Pending progress = *std::exchange(pending_, std::nullopt);
  return broker_.delay_progress.follow(progress.text, PhysicalOffset{progress.position});
}

}  // namespace rmq::roles::broker
