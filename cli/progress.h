// Progress: a line on the error stream about what takes longer than a moment, drawn over itself
// once a second and wiped at the end. Silent unless that stream is a terminal.
// Threads: one thread of its own while something is under way; what() from any.
#pragma once

#include <chrono>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "cli/command_line.h"

namespace rmq::cli {

class Progress {
 public:
  // Begins; nothing is drawn for the first `patience`, nor more often.
  Progress(Console& console, std::string what,
           std::chrono::milliseconds patience = std::chrono::seconds(1));
  // Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // What is going on now: "sent 1200 of 50000".
  void what(std::string text);

 private:
  void draw_until_stopped();

  Console& console_;
  const std::chrono::milliseconds patience_;
  Mutex mutex_;
  Condition stopped_;
  std::string what_ RMQ_GUARDED_BY(mutex_);
  bool stopping_ RMQ_GUARDED_BY(mutex_) = false;
  bool drawn_ = false;  // by the thread, until it has ended
  std::thread thread_;
};

}  // namespace rmq::cli
