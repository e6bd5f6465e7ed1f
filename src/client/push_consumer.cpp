#include "client/push_consumer.h"

#include <utility>

namespace rmq::client {
namespace {

GroupOptions group_options(const PushConsumerOptions& options) {
  GroupOptions group = options.group;
  group.type = protocol::ConsumeType::Passively;
  group.orderly = options.consumption.orderly;
  return group;
}

}  // namespace

struct PushConsumer::Core {
  Core(Client& client, const PushConsumerOptions& options, Listener listener)
      : patience(options.patience),
        consumption(options.consumption, std::move(listener)),
        group(client, group_options(options), consumption) {
    consumption.attach(group);
  }

  const std::chrono::milliseconds patience;
  Consumption consumption;
  GroupConsumer group;
};

PushConsumer::PushConsumer(Client& client, PushConsumerOptions options, Listener listener)
    : core_(std::make_shared<Core>(client, options, std::move(listener))) {
  core_->group.set_owner(core_);
}

// Without join(), whoever still runs is left to himself.
PushConsumer::~PushConsumer() { (void)core_->consumption.stop(std::chrono::steady_clock::now()); }

Result<> PushConsumer::subscribe(std::string topic, std::string expression,
                                 std::string expression_type) {
  return core_->group.subscribe(std::move(topic), std::move(expression),
                                std::move(expression_type));
}

void PushConsumer::unsubscribe(const std::string& topic) { core_->group.unsubscribe(topic); }

net::Task<Result<>> PushConsumer::start() { return core_->group.start(); }

net::Task<> PushConsumer::shutdown() { return core_->group.shutdown(core_->patience); }

bool PushConsumer::join() {
  return core_->consumption.stop(std::chrono::steady_clock::now() + core_->patience);
}

std::vector<MessageQueue> PushConsumer::queues() const {
  std::vector<MessageQueue> names;
  for (const auto& [name, queue] : core_->group.queues()) names.push_back(name);
  return names;
}

}  // namespace rmq::client
