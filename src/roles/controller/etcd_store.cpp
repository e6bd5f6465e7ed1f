#include "roles/controller/etcd_store.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "etcd/etcd_errc.h"
#include "net/await.h"
#include "protocol/body_json.h"
#include "protocol/protocol_errc.h"
#include "roles/controller/broker_set_json.h"

namespace rmq::roles::controller {
namespace {

using namespace std::chrono_literals;
using etcd::EtcdErrc;
using etcd::Record;
using protocol::ProtocolErrc;
using replication::BrokerSet;

// Longer than a round trip and a disk; as long as a broker waits for its controller.
constexpr std::chrono::milliseconds kAttemptMax = 1s;
constexpr std::chrono::milliseconds kStartMax = 15s;
constexpr std::chrono::milliseconds kStartPause = 200ms;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

Result<BrokerSet> set_of(const Record& record) {
  const auto wrong = [&](const Error& why) {
    return fail(why.code, "etcd's key " + record.key + ": " + why.detail);
  };
  const Result<json::Value> value = protocol::parse_body(record.value);
  if (!value) return wrong(value.error());
  Result<BrokerSet> set = broker_set_from_json(*value);
  if (!set) return wrong(set.error());
  if (set->version != record.version) {
    return wrong(
        {make_error_code(ProtocolErrc::BodyMalformed),
         "its value says version " + std::to_string(set->version) + ", etcd counts " +
             std::to_string(record.version) +
             ": it was not written by a controller. Delete it, and its brokers begin anew"});
  }
  return set;
}

}  // namespace

EtcdStore::EtcdStore(net::IoThread& control, const std::vector<std::string>& endpoints,
                     std::string group)
    : control_(control),
      prefix_("/rmq/" + std::move(group) + "/broker-sets/"),
      endpoints_(joined(endpoints)),
      client_(control, endpoints, kAttemptMax) {}

std::string EtcdStore::key_of(std::string_view name) const { return prefix_ + std::string(name); }

Result<> EtcdStore::open() {
  std::function<net::Task<Result<>>()> wait = [this] { return wait_for_etcd(); };
  return net::run_blocking<Result<>>(control_, std::move(wait));
}

net::Task<Result<>> EtcdStore::wait_for_etcd() {
  const SteadyTime deadline = std::chrono::steady_clock::now() + kStartMax;
  bool told = false;
  for (;;) {
    const Result<std::vector<Record>> sets = co_await client_.list(prefix_);
    if (sets) co_return Result<>{};
    const Error& why = sets.error();
    if (why.code == EtcdErrc::Refused || std::chrono::steady_clock::now() >= deadline) {
      co_return fail(
          why.code, "the broker sets cannot be read from etcd (" + endpoints_ + "): " + why.detail);
    }
    if (!std::exchange(told, true)) {
      log::warn("controller", "etcd does not answer yet", kv("endpoints", endpoints_),
                kv("why", why.message()));
    }
    co_await net::sleep_for(kStartPause);
  }
}

net::Task<Result<std::optional<BrokerSet>>> EtcdStore::load(std::string name) {
  RMQ_CO_TRY(const std::optional<Record> record, co_await client_.get(key_of(name)));
  if (!record) co_return std::optional<BrokerSet>();
  RMQ_CO_TRY(BrokerSet set, set_of(*record));
  co_return std::optional<BrokerSet>(std::move(set));
}

net::Task<Result<std::vector<BrokerSet>>> EtcdStore::list() {
  RMQ_CO_TRY(const std::vector<Record> records, co_await client_.list(prefix_));
  std::vector<BrokerSet> sets;
  for (const Record& record : records) {
    RMQ_CO_TRY(BrokerSet set, set_of(record));
    sets.push_back(std::move(set));
  }
  co_return sets;
}

net::Task<Result<bool>> EtcdStore::swap(BrokerSet next) {
  Result<bool> stored =
      co_await client_.put_if(key_of(next.name), next.version - 1, json::write(to_json(next)));
  co_return stored;
}

net::Task<Result<bool>> EtcdStore::remove(std::string name, std::uint64_t version) {
  Result<bool> removed = co_await client_.remove_if(key_of(name), version);
  co_return removed;
}

}  // namespace rmq::roles::controller
