// IoThreads: the control thread, the data threads and the one for streams (docs/architecture.md,
// "Threads"), one io_context each. What runs on one IoThread runs one after the other: no strand,
// no lock. Threads: construction, start() and stop() on the owner's; post() and the getters on any.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "net/connection_table.h"
#include "net/outbox.h"

namespace rmq::net {

// An io_context whose pending handlers and coroutines can be destroyed while other contexts live.
class IoContext : public asio::io_context {
 public:
  IoContext() : asio::io_context(1) {}
  void abandon() { shutdown(); }
};

class IoThread {
 public:
  IoThread(std::string name, std::size_t index);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Runs `work` on this thread, later. After stop() it is destroyed without having run.
  void post(std::function<void()> work);
  bool is_current() const {
    return id_.load(std::memory_order_acquire) == std::this_thread::get_id();
  }
  // Position among the data threads, from 0; the others have index 0 of their own kind.
  std::size_t index() const { return index_; }
  const std::string& name() const { return name_; }
  asio::io_context& context() { return context_; }

  void start();
  void stop();  // returns when the thread has ended

 private:
  friend class Connection;
  friend class IoThreads;

  const std::string name_;
  const std::size_t index_;
  // Declared before the context: handlers that die with it still give their chunks back.
  ChunkPool chunks_;
  Bytes read_scratch_;  // lent to one connection's read turn at a time
  std::atomic<std::size_t> connection_count_{0};
  IoContext context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  ConnectionTable connections_;
  std::thread thread_;
  std::atomic<std::thread::id> id_{};
};

class IoThreads {
 public:
  // `data_threads` 0: one per core.
  explicit IoThreads(std::size_t data_threads = 0);
  // What waits on one thread may hold connections of another: all of it goes before any thread.
  ~IoThreads();

  void start();
  void stop();

  IoThread& control() { return *control_; }
  IoThread& data(std::size_t index) { return *data_[index]; }
  // Serves byte streams, so that replicas do not wait for each other behind requests.
  IoThread& streams() { return *streams_; }
  std::size_t data_count() const { return data_.size(); }
  // The data thread with the fewest connections.
  IoThread& least_loaded();

 private:
  std::vector<IoThread*> all() const;

  std::unique_ptr<IoThread> control_;
  std::unique_ptr<IoThread> streams_;
  std::vector<std::unique_ptr<IoThread>> data_;
};

}  // namespace rmq::net
