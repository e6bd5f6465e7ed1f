// ConnectionTable: the connections of one io thread, swept once a second for those that are idle or
// stuck; and PartialBudget, the bytes of incomplete frames in the whole process. Threads: the table
// its io thread's only; the budget any.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

namespace rmq::net {

class Connection;

class ConnectionTable {
 public:
  explicit ConnectionTable(asio::io_context& context) : timer_(context) {}

  void start() { schedule(); }
  void add(std::uint64_t id, std::weak_ptr<Connection> connection) {
    connections_.emplace(id, std::move(connection));
  }
  void remove(std::uint64_t id) { connections_.erase(id); }

 private:
  void schedule();
  void sweep();

  asio::steady_timer timer_;
  std::unordered_map<std::uint64_t, std::weak_ptr<Connection>> connections_;
};

class PartialBudget {
 public:
  // Changes one connection's share from `before` to `after` bytes. False, and nothing changed, when
  // that would exceed the budget; a share may exceed it only as the only one.
  static bool change(std::size_t before, std::size_t after);
  // Adds a share of bytes that are already in memory, whatever the budget says.
  static void force(std::size_t bytes);
  // Somebody was refused and there is no room yet.
  static bool exhausted();
  static std::size_t used();
};

}  // namespace rmq::net
