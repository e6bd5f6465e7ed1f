// EtcdClient: small records in etcd (3.4 or newer), by its HTTP gateway and without TLS: read one,
// list those with a prefix, and change one if it has the version that its reader saw.
// A version is etcd's own count of a key's changes since the key was made, from 1; 0: there is
// none.
//
// Each request goes to the endpoint that answered last, and to the others in turn when it does not.
// Reads are linearizable: a member that has lost its majority does not answer them.
// Threads: everything on the io thread that it is made for, which ends before it does.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "etcd/http_client.h"

namespace rmq::etcd {

// "http://10.0.0.1:2379,http://10.0.0.2:2379" as "host:port"s; "http://" may be left out, and ';'
// separates too. Errors: EtcdErrc::EndpointMalformed.
Result<std::vector<std::string>> parse_endpoints(std::string_view text);

struct Record {
  std::string key;
  std::string value;
  std::uint64_t version = 0;

  friend bool operator==(const Record&, const Record&) = default;
};

class EtcdClient {
 public:
  // `endpoints`: of parse_endpoints(), at least one. `attempt_max`: how long one may take to
  // answer.
  EtcdClient(net::IoThread& thread, std::vector<std::string> endpoints,
             std::chrono::milliseconds attempt_max);

  // Errors of all that follow: NetErrc of the endpoint tried last, EtcdErrc.
  net::Task<Result<std::optional<Record>>> get(std::string key);
  net::Task<Result<std::vector<Record>>> list(std::string prefix);
  // Whether it is done. False: somebody else was faster. On an error nobody knows.
  net::Task<Result<bool>> put_if(std::string key, std::uint64_t version, std::string value);
  net::Task<Result<bool>> remove_if(std::string key, std::uint64_t version);

 private:
  struct Answer {
    json::Value body;
    bool repeated = false;  // an attempt before this one may have been carried out
  };
  net::Task<Result<Answer>> ask(std::string path, json::Value question);
  net::Task<Result<std::vector<Record>>> range(json::Value question);

  const std::vector<std::string> endpoints_;
  const std::chrono::milliseconds attempt_max_;
  std::size_t current_ = 0;
  HttpClient http_;
};

}  // namespace rmq::etcd
