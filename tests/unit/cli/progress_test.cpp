#include "cli/progress.h"

#include <doctest/doctest.h>

#include <future>
#include <sstream>

using namespace rmq::cli;
using namespace std::chrono_literals;

namespace {

// A stream buffer that says when something was written.
class Signalling final : public std::stringbuf {
 public:
  std::future<void> written() { return written_.get_future(); }

 protected:
  int sync() override {
    if (!told_) written_.set_value();
    told_ = true;
    return std::stringbuf::sync();
  }

 private:
  std::promise<void> written_;
  bool told_ = false;
};

}  // namespace

TEST_CASE("progress: a line on a terminal after a moment, wiped at the end") {
  std::ostringstream out;
  Signalling buffer;
  std::ostream err(&buffer);
  Console console{out, err};
  console.err_is_terminal = true;
  std::future<void> drawn = buffer.written();
  {
    Progress progress(console, "waiting\x1b", 1ms);
    drawn.wait();
    progress.what("sent 3");
  }
  const std::string text = buffer.str();
  CHECK(text.find("rmq: waiting\\x1b  0 s") != std::string::npos);
  CHECK(text.ends_with("\r\x1b[K"));
  CHECK(out.str().empty());
}

TEST_CASE("progress: what is over soon, and what is no terminal, leave no trace") {
  std::ostringstream out;
  std::ostringstream err;
  Console console{out, err};
  console.err_is_terminal = true;
  { const Progress progress(console, "quick", 1h); }
  CHECK(err.str().empty());
  console.err_is_terminal = false;
  {
    Progress progress(console, "slow", 0ms);
    progress.what("slower");
  }
  CHECK(err.str().empty());
}
