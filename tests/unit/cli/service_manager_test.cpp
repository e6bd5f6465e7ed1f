#include "cli/service_manager.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "tests/support/temp_directory.h"

namespace rmq::cli {
namespace {

// The socket that systemd would listen on.
class Listener {
 public:
  explicit Listener(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { ::close(fd_); }

  // Empty when nothing came.
  std::string received() {
    std::array<char, 1024> bytes{};
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return got < 0 ? std::string() : std::string(bytes.data(), static_cast<std::size_t>(got));
  }

 private:
  const int fd_;
};

}  // namespace

TEST_CASE("service manager: hears how a start gets on, of the end of it, and of a stop") {
  const test::TempDirectory directory;
  std::string name;
  SUBCASE("a path") { name = directory / "notify"; }
  SUBCASE("an abstract name") { name = "@" + (directory / "notify"); }
  Listener listener(name);
  const ServiceManager manager(name);
  manager.starting("recovery");
  CHECK(listener.received() == "STATUS=recovery\nEXTEND_TIMEOUT_USEC=60000000\n");
  manager.ready();
  CHECK(listener.received() == "READY=1\nSTATUS=ready\n");
  manager.stopping();
  CHECK(listener.received() == "STOPPING=1\nSTATUS=stopping\n");
}

TEST_CASE("service manager: nobody listens") {
  const test::TempDirectory directory;
  ServiceManager(directory / "nobody").ready();
  ServiceManager("").ready();
  ServiceManager(std::string(sizeof(sockaddr_un::sun_path), 'x')).ready();
}

}  // namespace rmq::cli
