#include "client/lite_pull_consumer.h"

#include <algorithm>
#include <set>
#include <utility>

#include "client/client_errc.h"
#include "client/running_info.h"
#include "protocol/request_codes.h"
#include "protocol/response_codes.h"

namespace rmq::client {
namespace {

using protocol::RequestCode;
using protocol::ResponseCode;

GroupOptions group_options(const LitePullOptions& options) {
  GroupOptions group = options.group;
  group.type = protocol::ConsumeType::Actively;
  group.orderly = false;
  group.commits_what_it_skips = false;
  if (!options.auto_commit) group.commit_interval = std::chrono::milliseconds(0);
  return group;
}

PullConsumerOptions reader_options(const LitePullOptions& options) {
  PullConsumerOptions reader;
  reader.group = options.group.group;
  return reader;
}

}  // namespace

struct LitePullConsumer::Core final : QueueHandler {
  Core(Client& client, const LitePullOptions& o)
      : options(o), reader(client, reader_options(o)), group(client, group_options(o), *this) {}

  void on_messages(const QueuePtr& queue) override {
    queue->paused = paused.contains(queue->queue);
    came.notify();
  }
  void on_server_request(protocol::Command request, net::Responder responder) override {
    net::Response response;
    if (static_cast<RequestCode>(request.code) == RequestCode::GetConsumerRunningInfo) {
      const std::string body = encode_running_info(group, 0);
      response.body.assign(as_bytes(body).begin(), as_bytes(body).end());
    } else {
      response.code = static_cast<std::int32_t>(ResponseCode::SystemError);
      response.remark = "a pull consumer has no listener";
    }
    responder.answer(std::move(response));
  }

  // Messages of the first queue behind `last_polled` that has any; empty when none has.
  std::vector<MessagePtr> take() {
    const auto& queues = group.queues();
    auto next = queues.upper_bound(last_polled);
    for (std::size_t i = 0; i < queues.size(); ++i, ++next) {
      if (next == queues.end()) next = queues.begin();
      const QueuePtr& queue = next->second;
      if (queue->closing || paused.contains(queue->queue)) continue;
      const std::vector<MessagePtr> messages = queue->messages.take(options.poll_max);
      if (messages.empty()) continue;
      last_polled = queue->queue;
      if (const auto offset = group.remove(queue, messages)) returned[queue->queue] = *offset;
      queue->last_consume_ms = group.client().clock().now_ms();
      return messages;
    }
    return {};
  }
  // What poll() has returned counts as consumed.
  void count_returned() {
    for (const auto& [queue, offset] : returned) {
      if (group.queues().contains(queue)) group.offsets().set(queue, offset);
    }
    returned.clear();
  }

  const LitePullOptions options;
  PullConsumer reader;
  std::set<MessageQueue> paused;
  std::map<MessageQueue, QueueOffset> returned;
  MessageQueue last_polled;
  Signal came;
  bool shut_down = false;
  GroupConsumer group;
};

LitePullConsumer::LitePullConsumer(Client& client, LitePullOptions options)
    : core_(std::make_shared<Core>(client, options)) {
  core_->group.set_owner(core_);
}

LitePullConsumer::~LitePullConsumer() = default;

Result<> LitePullConsumer::subscribe(std::string topic, std::string expression,
                                     std::string expression_type) {
  return core_->group.subscribe(std::move(topic), std::move(expression),
                                std::move(expression_type));
}

void LitePullConsumer::assign(std::vector<MessageQueue> queues) {
  core_->group.assign(std::move(queues));
}

net::Task<Result<std::vector<MessageQueue>>> LitePullConsumer::fetch_queues(std::string topic) {
  return core_->reader.queues(std::move(topic));
}

std::vector<MessageQueue> LitePullConsumer::queues() const {
  std::vector<MessageQueue> names;
  for (const auto& [name, queue] : core_->group.queues()) names.push_back(name);
  return names;
}

net::Task<Result<>> LitePullConsumer::start() { return core_->group.start(); }

net::Task<> LitePullConsumer::shutdown() {
  core_->shut_down = true;
  core_->came.notify();
  if (core_->options.auto_commit) core_->count_returned();
  co_await core_->group.shutdown(std::chrono::milliseconds(0));
}

net::Task<MessageBatch> LitePullConsumer::poll(std::chrono::milliseconds timeout) {
  const std::shared_ptr<Core> core = core_;
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  if (core->options.auto_commit) core->count_returned();
  while (!core->shut_down) {
    const std::vector<MessagePtr> messages = core->take();
    if (!messages.empty()) co_return MessageBatch(messages.begin(), messages.end());
    const net::Event came = core->came.next();
    const bool in_time = co_await came.wait_until(deadline);
    if (!in_time) break;
  }
  co_return MessageBatch();
}

net::Task<> LitePullConsumer::commit() {
  core_->count_returned();
  co_await core_->group.commit();
}

net::Task<Result<std::optional<QueueOffset>>> LitePullConsumer::committed(MessageQueue queue) {
  return core_->group.offsets().load(std::move(queue));
}

net::Task<Result<>> LitePullConsumer::seek(MessageQueue queue, QueueOffset offset) {
  const auto& assigned = core_->group.assigned();
  const bool named =
      assigned && std::find(assigned->begin(), assigned->end(), queue) != assigned->end();
  if (!named && !core_->group.queues().contains(queue)) {
    co_return fail(ClientErrc::QueueUnknown, "this consumer does not read queue " +
                                                 std::to_string(queue.queue_id) + " of topic '" +
                                                 queue.topic + "' on '" + queue.broker_name + "'");
  }
  RMQ_CO_TRY(const QueueOffset begin, co_await core_->reader.begin_offset(queue));
  RMQ_CO_TRY(const QueueOffset end, co_await core_->reader.end_offset(queue));
  if (offset < begin || offset > end) {
    co_return fail(ClientErrc::OffsetOutOfRange, std::to_string(offset.value) + ": the queue has " +
                                                     std::to_string(begin.value) + " to " +
                                                     std::to_string(end.value));
  }
  core_->returned.erase(queue);
  core_->group.restart(queue, offset, GroupConsumer::Commit::No);
  co_return Result<>{};
}

net::Task<Result<>> LitePullConsumer::seek_to_begin(MessageQueue queue) {
  RMQ_CO_TRY(const QueueOffset begin, co_await core_->reader.begin_offset(queue));
  co_return co_await seek(std::move(queue), begin);
}

net::Task<Result<>> LitePullConsumer::seek_to_end(MessageQueue queue) {
  RMQ_CO_TRY(const QueueOffset end, co_await core_->reader.end_offset(queue));
  co_return co_await seek(std::move(queue), end);
}

net::Task<Result<QueueOffset>> LitePullConsumer::offset_at(MessageQueue queue,
                                                           std::int64_t epoch_ms) {
  return core_->reader.offset_at(std::move(queue), epoch_ms);
}

void LitePullConsumer::set_paused(const std::vector<MessageQueue>& queues, bool paused) {
  for (const MessageQueue& queue : queues) {
    if (paused) {
      core_->paused.insert(queue);
    } else {
      core_->paused.erase(queue);
    }
    const auto found = core_->group.queues().find(queue);
    if (found == core_->group.queues().end()) continue;
    found->second->paused = paused;
    found->second->changed.notify();
  }
  core_->came.notify();
}

}  // namespace rmq::client
