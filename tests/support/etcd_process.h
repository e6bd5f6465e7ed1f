// EtcdProcess: an etcd of its own on free ports, with its data in a directory that goes with it.
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "tests/support/temp_directory.h"

namespace rmq::test {

// Nobody listens on it at this moment, and no outgoing connection is given it: the client of an
// etcd that is down could get just the port that it tries to reach.
inline int free_port() {
  static std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::uint16_t> ports(15'000, 31'999);
  for (;;) {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(ports(random));
    const int bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::close(probe);
    if (bound == 0) return ntohs(address.sin_port);
  }
}

class EtcdProcess {
 public:
  EtcdProcess() : endpoint_("127.0.0.1:" + std::to_string(free_port())) { start(); }
  ~EtcdProcess() { kill(); }
  EtcdProcess(const EtcdProcess&) = delete;
  EtcdProcess& operator=(const EtcdProcess&) = delete;

  // Returns at once; it answers a moment later.
  void start() {
    const std::string client = "http://" + endpoint_;
    const std::string peer = "http://127.0.0.1:" + std::to_string(free_port());
    const std::array<std::string, 6> options{
        "--data-dir=" + (directory_ / "data"),   "--listen-client-urls=" + client,
        "--advertise-client-urls=" + client,     "--listen-peer-urls=" + peer,
        "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer};
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ > 0) return;
    const int log = ::open((directory_ / "log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
    ::dup2(log, STDERR_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::execlp("etcd", "etcd", options[0].c_str(), options[1].c_str(), options[2].c_str(),
             options[3].c_str(), options[4].c_str(), options[5].c_str(), nullptr);
    ::_exit(127);
  }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  const std::string& endpoint() const { return endpoint_; }

 private:
  TempDirectory directory_;
  const std::string endpoint_;
  pid_t process_ = 0;
};

}  // namespace rmq::test
