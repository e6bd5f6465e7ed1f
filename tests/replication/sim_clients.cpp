#include "tests/replication/sim_clients.h"

namespace rmq::sim {
namespace {

constexpr std::int64_t kNumbersEach = 1'000'000;
constexpr Ticks kAnswerMax = 300 * kMillisecond;
constexpr Ticks kPullInterval = 25 * kMillisecond;

}  // namespace

SimProducer::SimProducer(World& world, Network& network, const Options& options, NodeId node)
    : world_(world),
      network_(network),
      options_(options),
      node_(node),
      number_((node - kFirstProducer + 1) * kNumbersEach) {
  network_.attach(node_, [this](NodeId, const Message& message) { on_message(message); });
}

void SimProducer::start() {
  world_.set_up(node_);
  send_next();
}

void SimProducer::send_next() {
  if (stopped_) return;
  ++number_;
  waits_ = true;
  network_.send(node_, target_, Send{number_});
  world_.at(node_, kAnswerMax, [this, number = number_] {
    if (!waits_ || number != number_) return;
    target_ = world_.random.between(1, options_.brokers);
    send_next();
  });
}

void SimProducer::on_message(const Message& message) {
  const auto* answer = std::get_if<SendSays>(&message);
  if (answer == nullptr || answer->number != number_ || !waits_) return;
  waits_ = false;
  if (answer->outcome == SendOutcome::Ok) ++ok_count_;
  if (answer->outcome == SendOutcome::NotMaster) {
    target_ = answer->master.value_or(world_.random.between(1, options_.brokers));
  }
  const Ticks pause = answer->outcome == SendOutcome::Ok
                          ? world_.random.between(0, 2 * options_.send_interval)
                          : 20 * kMillisecond;
  world_.at(node_, pause, [this] { send_next(); });
}

SimConsumer::SimConsumer(World& world, Network& network, Invariants& invariants,
                         const Options& options)
    : world_(world), network_(network), invariants_(invariants), options_(options) {
  network_.attach(kConsumer,
                  [this](NodeId from, const Message& message) { on_message(from, message); });
}

void SimConsumer::start() {
  world_.set_up(kConsumer);
  pull();
}

void SimConsumer::pull() {
  if (!answered_) target_ = world_.random.between(1, options_.brokers);
  answered_ = false;
  network_.send(kConsumer, target_, Pull{position_, epoch_});
  world_.at(kConsumer, kPullInterval + world_.random.between(0, kPullInterval), [this] { pull(); });
}

void SimConsumer::on_message(NodeId from, const Message& message) {
  const auto* answer = std::get_if<PullSays>(&message);
  if (answer == nullptr) return;
  if (!answer->is_master) {
    answered_ = answer->master.has_value();
    target_ = answer->master.value_or(target_);
    return;
  }
  answered_ = true;
  // An old answer, or one that was given to a question before the last one.
  if (answer->epoch < epoch_) return;
  if (answer->epoch == epoch_ && position_ && answer->from != *position_) return;
  epoch_ = answer->epoch;
  position_ = answer->from;
  for (const Record& record : answer->records) {
    invariants_.on_delivered(*position_, record);
    *position_ += 1;
  }
  if (!answer->records.empty()) {
    world_.note(kConsumer, "has everything before %lld", static_cast<long long>(position_->value));
    network_.send(kConsumer, from, Commit{epoch_, QueueOffset{position_->value}});
  }
}

}  // namespace rmq::sim
