// A test that hangs ends as one that crashed: doctest names it.
// Environment: RMQ_TEST_SECONDS, how long all tests together may take (840); 0: as long as they do.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

namespace {

constexpr int kSeconds = 840;  // less than ctest's own limit, which says nothing

}  // namespace

int main(int argc, char** argv) {
  const char* seconds = std::getenv("RMQ_TEST_SECONDS");
  ::signal(SIGALRM, [](int) { ::raise(SIGTERM); });
  ::alarm(static_cast<unsigned>(seconds == nullptr ? kSeconds : std::atoi(seconds)));
  return doctest::Context(argc, argv).run();
}
