#include "roles/broker/admin/runtime_info.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "base/file_system.h"
#include "protocol/message_record.h"
#include "protocol/route_body.h"
#include "roles/broker/broker.h"

namespace rmq::roles::broker {

namespace {

using Table = std::map<std::string, std::string>;

// What tools compare: the name of command.h's kVersion in MQVersion.java.
constexpr const char* kVersionName = "V5_3_3";

std::string decimal(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4f", value);
  return text.data();
}

void add_traffic(const Traffic& traffic, Table& table) {
  const Traffic::Totals now = traffic.now();
  const auto messages = static_cast<double>(std::max<std::int64_t>(1, now.put));
  table["putMessageTimesTotal"] = std::to_string(now.put);
  table["putMessageSizeTotal"] = std::to_string(now.put_bytes);
  table["putMessageAverageSize"] = decimal(static_cast<double>(now.put_bytes) / messages);
  table["putTps"] = traffic.rates(Traffic::Rate::Put);
  table["getFoundTps"] = traffic.rates(Traffic::Rate::Found);
  table["getMissTps"] = traffic.rates(Traffic::Rate::Missed);
  table["getTotalTps"] = traffic.rates(Traffic::Rate::Pulls);
  table["getTransferredTps"] = traffic.rates(Traffic::Rate::Given);
  table["msgPutTotalTodayNow"] = std::to_string(now.put);
  table["msgPutTotalTodayMorning"] = std::to_string(traffic.today_morning().put);
  table["msgPutTotalYesterdayMorning"] = std::to_string(traffic.yesterday_morning().put);
  table["msgGetTotalTodayNow"] = std::to_string(now.given);
  table["msgGetTotalTodayMorning"] = std::to_string(traffic.today_morning().given);
  table["msgGetTotalYesterdayMorning"] = std::to_string(traffic.yesterday_morning().given);
}

std::int64_t earliest_store_time(const storage::MessageStore& store) {
  const auto record = store.record_at(store.min_physical());
  if (!record) return -1;
  const auto message = protocol::decode_record(record->bytes);
  return message ? message->store_timestamp_ms : -1;
}

void add_store(Broker& broker, Table& table) {
  storage::MessageStore& store = *broker.store;
  const std::int64_t appended = store.appended().value().value;
  const std::int64_t unflushed =
      std::max<std::int64_t>(0, appended - store.flushed().value().value);
  const std::int64_t behind =
      std::max<std::int64_t>(0, appended - store.dispatched().value().value);
  table["commitLogMinOffset"] = std::to_string(store.min_physical().value);
  table["commitLogMaxOffset"] = std::to_string(appended);
  table["dispatchBehindBytes"] = std::to_string(behind);
  table["remainHowManyDataToFlush"] = readable_bytes(unflushed);
  table["earliestMessageTimeStamp"] = std::to_string(earliest_store_time(store));
}

// "next to deliver,end of the queue" of each delay level.
void add_delays(const Broker& broker, Table& table) {
  for (const auto& [level, next] : broker.delay_progress.all()) {
    const QueueOffset end = broker.store->visible_end(storage::kScheduleTopic, level - 1);
    table["scheduleMessageOffset_" + std::to_string(level)] =
        std::to_string(next.value) + "," + std::to_string(end.value);
  }
}

// Of the disk that holds `directory`; nothing when it is not known.
std::optional<double> used_share(const std::string& directory) {
  const Result<DiskSpace> space = FileSystem::posix().space(directory);
  return space ? std::optional(space->used_share()) : std::nullopt;
}

std::string ratio(std::optional<double> share) { return share ? decimal(*share) : "-1"; }

// Java's names. A log in several directories is as full as the emptiest of them.
void add_disks(const storage::StoreConfig& store, Table& table) {
  table["consumeQueueDiskRatio"] = ratio(used_share(store.root_directory));
  const auto directories = storage::split_directories(store.commit_log_directory);
  std::optional<double> least;
  for (const std::string& directory : directories) {
    const std::optional<double> share = used_share(directory);
    table["commitLogDiskRatio_" + directory] = ratio(share);
    if (share && (!least || *share < *least)) least = share;
  }
  table["commitLogDiskRatio"] = directories.empty() ? table["consumeQueueDiskRatio"] : ratio(least);
  struct statvfs disk {};
  if (statvfs(store.root_directory.c_str(), &disk) != 0) return;
  const auto bytes = [&disk](fsblkcnt_t blocks) {
    return static_cast<std::int64_t>(blocks) * static_cast<std::int64_t>(disk.f_frsize);
  };
  table["commitLogDirCapacity"] = "Total : " + readable_bytes(bytes(disk.f_blocks)) +
                                  ", Free : " + readable_bytes(bytes(disk.f_bfree)) + ".";
}

// Java's thread pools have queues; here requests are served as they arrive, so nothing ever waits
// in one.
void add_queues(Table& table) {
  for (const char* pool : {"send", "pull", "litePull", "query", "ack"}) {
    const std::string prefix = std::string(pool) + "ThreadPoolQueue";
    table[prefix + "Size"] = table[prefix + "Capacity"] = table[prefix + "HeadWaitTimeMills"] = "0";
  }
  table["pageCacheLockTimeMills"] = "0";
}

}  // namespace

std::string readable_bytes(std::int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::string_view kUnits = "KMGTPE";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %ciB", value, kUnits[unit]);
  return text.data();
}

std::string readable_duration(std::int64_t milliseconds) {
  const std::int64_t seconds = milliseconds / 1000;
  return "[ " + std::to_string(seconds / 86'400) + " days, " +
         std::to_string(seconds / 3'600 % 24) + " hours, " + std::to_string(seconds / 60 % 60) +
         " minutes, " + std::to_string(seconds % 60) + " seconds ]";
}

Result<Response> on_get_broker_runtime_info(Broker& broker, const Caller&,
                                            const protocol::GetBrokerRuntimeInfoRequest&) {
  protocol::KVTable info;
  Table& table = info.table;
  table["bootTimestamp"] = std::to_string(broker.boot_timestamp_ms);
  table["runtime"] = readable_duration(broker.clock.now_ms() - broker.boot_timestamp_ms);
  table["brokerVersionDesc"] = kVersionName;
  table["brokerVersion"] = std::to_string(protocol::kVersion);
  table["brokerActive"] = broker.is_slave() ? "false" : "true";
  table["startAcceptSendRequestTimeStamp"] = "0";
  add_traffic(broker.traffic, table);
  add_store(broker, table);
  add_delays(broker, table);
  add_disks(broker.config.store, table);
  add_queues(table);
  return respond_body(protocol::encode_kv_table(info));
}

}  // namespace rmq::roles::broker
