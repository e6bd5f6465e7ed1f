// AdminFixture: an AdminClient and one server that is both name server and broker.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <ostream>

#include "client/admin_client.h"
#include "protocol/response_codes.h"
#include "tests/support/fake_cluster.h"

namespace rmq::client {

struct AdminFixture {
  explicit AdminFixture(test::FakeServer::Answer answer) : server(threads, std::move(answer)) {
    threads.start();
    ClientOptions options;
    options.name_servers = {server.address()};
    client = std::make_unique<Client>(threads, options);
    admin = std::make_unique<AdminClient>(*client, std::chrono::seconds(5));
  }
  ~AdminFixture() { threads.stop(); }

  template <class T>
  Result<T> run(std::function<net::Task<Result<T>>()> start) {
    return net::run_blocking<Result<T>>(threads.control(), std::move(start));
  }

  net::IoThreads threads{1};
  test::FakeServer server;
  std::unique_ptr<Client> client;
  std::unique_ptr<AdminClient> admin;
};

}  // namespace rmq::client
