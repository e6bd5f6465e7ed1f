#include "net/io_threads.h"

#include <pthread.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "net/net_limits.h"

namespace rmq::net {

IoThread::IoThread(std::string name, std::size_t index)
    : name_(std::move(name)),
      index_(index),
      work_(context_.get_executor()),
      connections_(context_) {}

IoThread::~IoThread() { stop(); }

void IoThread::post(std::function<void()> work) { asio::post(context_, std::move(work)); }

void IoThread::start() {
  read_scratch_.resize(kReadScratchBytes);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), name_.c_str());
    id_.store(std::this_thread::get_id(), std::memory_order_release);
    context_.run();
  });
}

void IoThread::stop() {
  if (!thread_.joinable()) return;
  context_.stop();
  thread_.join();
  id_.store({}, std::memory_order_release);
}

IoThreads::IoThreads(std::size_t data_threads) {
  if (data_threads == 0) data_threads = std::max(1U, std::thread::hardware_concurrency());
  control_ = std::make_unique<IoThread>("rmq-control", 0);
  streams_ = std::make_unique<IoThread>("rmq-streams", 0);
  for (std::size_t i = 0; i < data_threads; ++i) {
    data_.push_back(std::make_unique<IoThread>("rmq-data-" + std::to_string(i), i));
  }
}

IoThreads::~IoThreads() {
  stop();
  for (IoThread* const thread : all()) thread->context_.abandon();
}

void IoThreads::start() {
  for (IoThread* const thread : all()) {
    // Streams look after themselves.
    if (thread != streams_.get()) thread->connections_.start();
    thread->start();
  }
}

void IoThreads::stop() {
  for (IoThread* const thread : all()) thread->stop();
}

std::vector<IoThread*> IoThreads::all() const {
  std::vector<IoThread*> all{control_.get(), streams_.get()};
  for (const auto& thread : data_) all.push_back(thread.get());
  return all;
}

IoThread& IoThreads::least_loaded() {
  const auto fewer = [](const auto& a, const auto& b) {
    return a->connection_count_.load(std::memory_order_relaxed) <
           b->connection_count_.load(std::memory_order_relaxed);
  };
  return **std::min_element(data_.begin(), data_.end(), fewer);
}

}  // namespace rmq::net
