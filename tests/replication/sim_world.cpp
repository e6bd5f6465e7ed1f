#include "tests/replication/sim_world.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <iostream>
#include <utility>

namespace rmq::sim {
namespace {

constexpr std::size_t kLastLines = 60;
// No node's clock may come near 0, where the logic has its "never".
constexpr std::chrono::hours kClockStart{1'000};

}  // namespace

std::string name_of(NodeId node) {
  if (node >= kConsumer) return "consumer";
  if (node >= kFirstProducer) return "producer" + std::to_string(node - kFirstProducer + 1);
  if (node == kStore) return "store";
  if (node >= kFirstController) return "controller" + std::to_string(node - kFirstController + 1);
  return node == 0 ? "world" : "broker" + std::to_string(node);
}

SteadyTime World::clock(NodeId node) {
  return SteadyTime{kClockStart + std::chrono::microseconds(now_ + nodes_[node].clock_offset)};
}

void World::plan(Planned planned) {
  planned.number = next_number_++;
  heap_.push_back(std::move(planned));
  std::push_heap(heap_.begin(), heap_.end(), is_later);
}

void World::at(NodeId node, Ticks delay, Event event) {
  plan({now_ + delay, 0, node, nodes_[node].life, std::move(event)});
}

void World::outside(Ticks delay, Event event) { plan({now_ + delay, 0, 0, 0, std::move(event)}); }

bool World::step() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), is_later);
  Planned planned = std::move(heap_.back());
  heap_.pop_back();
  now_ = planned.time;
  if (planned.node != 0) {
    Node& node = nodes_[planned.node];
    if (is_gone(node, planned)) return true;
    if (node.frozen_until > now_ || !node.waiting.empty()) {
      node.waiting.push_back(std::move(planned));
      return true;
    }
  }
  ++steps_;
  planned.event();
  return true;
}

// One event a step.
void World::wake(NodeId number) {
  Node& node = nodes_[number];
  if (node.frozen_until > now_ || node.waiting.empty()) return;
  const Planned first = std::move(node.waiting.front());
  node.waiting.pop_front();
  // Before what `first` plans for this moment.
  outside(0, [this, number] { wake(number); });
  if (!is_gone(node, first)) first.event();
}

void World::set_up(NodeId node) {
  nodes_[node].up = true;
  ++nodes_[node].life;
}

void World::set_down(NodeId node) {
  nodes_[node].up = false;
  nodes_[node].frozen_until = 0;
  nodes_[node].waiting.clear();
}

void World::freeze(NodeId node, Ticks duration) {
  nodes_[node].frozen_until = now_ + duration;
  outside(duration, [this, node] { wake(node); });
}

void World::note(NodeId node, const char* format, ...) {
  if (!tracing()) return;
  char text[400];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  char head[60];
  std::snprintf(head, sizeof(head), "%10.3f ms %-11s ", static_cast<double>(now_) / 1000.0,
                name_of(node).c_str());
  if (tracing_ == Tracing::All) {
    std::cout << head << text << "\n";
    return;
  }
  lines_.push_back(std::string(head) + text);
  if (lines_.size() > kLastLines) lines_.pop_front();
}

}  // namespace rmq::sim
