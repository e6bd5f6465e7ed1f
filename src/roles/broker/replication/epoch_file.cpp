#include "roles/broker/replication/epoch_file.h"

#include <charconv>
#include <limits>
#include <utility>

#include "base/log.h"
#include "protocol/message_record.h"
#include "replication/epoch_text.h"
#include "replication/replication_errc.h"

namespace rmq::roles::broker {
namespace {

using replication::Epoch;
using replication::EpochHistory;
using replication::ReplicationErrc;

constexpr const char* kBackup = ".bak";

std::int32_t text_crc32(std::string_view text) { return protocol::body_crc(as_bytes(text)); }

bool is_missing(const Error& error) { return error.code == std::errc::no_such_file_or_directory; }
bool is_damage(const Error& error) {
  return error.code == ReplicationErrc::Malformed ||
         error.code == ReplicationErrc::EpochsOutOfOrder;
}

}  // namespace

EpochFile::EpochFile(FileSystem& files, std::string store_root)
    : files_(files),
      path_(store_root + "/epochFileCheckpoint"),
      seen_path_(std::move(store_root) + "/rmq/reign") {}

Result<> EpochFile::load(PhysicalOffset log_end) {
  MutexLock changing(change_mutex_);
  RMQ_TRY(EpochHistory history, load_history(log_end));
  RMQ_TRY(Epoch seen, read_seen());
  // Of a store that Java wrote.
  if (const auto last = history.last()) seen = std::max(seen, last->epoch);
  MutexLock lock(mutex_);
  history_ = std::move(history);
  seen_ = seen;
  return {};
}

Result<EpochHistory> EpochFile::read_history(const std::string& path) const {
  RMQ_TRY(const std::string text, read_text_file(files_, path));
  Result<EpochHistory> history = replication::decode_epochs(text, text_crc32);
  if (!history) return fail(history.error().code, path + ": " + history.error().detail);
  return history;
}

// The sound one of the two files, cut to the log, and both as it is.
Result<EpochHistory> EpochFile::load_history(PhysicalOffset log_end) {
  Result<EpochHistory> found = read_history(path_);
  Result<EpochHistory> backup = read_history(path_ + kBackup);
  if (!found && !is_damage(found.error()) && !is_missing(found.error())) return found;
  if (!found && !backup && is_missing(found.error()) && is_missing(backup.error())) {
    return EpochHistory();
  }
  EpochHistory history;
  if (found) {
    history = *found;
  } else if (backup) {
    history = *backup;
    log::warn("replication", "the history of epochs is damaged, its copy is taken",
              kv("file", path_), kv("why", found.error().message()));
  } else if (log_end.value > 0) {
    const Error& why = is_damage(found.error()) ? found.error() : backup.error();
    return fail(why.code, why.detail +
                              ": which part of the log belongs to which epoch is lost. Give this "
                              "broker an empty store, and it copies the master's");
  } else {
    log::warn("replication", "the history of epochs is damaged, and there is no log",
              kv("file", path_), kv("why", found.error().message()));
  }
  history.truncate_suffix(log_end);
  const bool as_it_is = found && backup && *found == history && *backup == history;
  if (!as_it_is) RMQ_CHECK(save(history));
  return history;
}

Result<Epoch> EpochFile::read_seen() const {
  const Result<std::string> text = read_text_file(files_, seen_path_);
  if (!text && is_missing(text.error())) return Epoch{};
  if (!text) return fail(text.error());
  std::int32_t value = -1;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || value < 0 || std::string_view(rest, end) != "\n") {
    return fail(ReplicationErrc::Malformed,
                seen_path_ +
                    ": not a number: write into it the epoch of the broker set, as the "
                    "controller has it");
  }
  return Epoch{value};
}

EpochHistory EpochFile::history() const {
  MutexLock lock(mutex_);
  return history_;
}

Epoch EpochFile::seen() const {
  MutexLock lock(mutex_);
  return seen_;
}

Result<> EpochFile::begin(Epoch epoch, PhysicalOffset start) {
  MutexLock changing(change_mutex_);
  EpochHistory history = this->history();
  RMQ_CHECK(history.begin(epoch, start));
  if (epoch > seen()) RMQ_CHECK(save_seen(epoch));
  RMQ_CHECK(save(history));
  MutexLock lock(mutex_);
  history_ = std::move(history);
  return {};
}

Result<> EpochFile::truncate(PhysicalOffset end) {
  MutexLock changing(change_mutex_);
  EpochHistory history = this->history();
  history.truncate_suffix(end);
  if (history == this->history()) return {};
  RMQ_CHECK(save(history));
  MutexLock lock(mutex_);
  history_ = std::move(history);
  return {};
}

Result<> EpochFile::adopt(const EpochHistory& history) {
  MutexLock changing(change_mutex_);
  RMQ_CHECK(save(history));
  MutexLock lock(mutex_);
  history_ = history;
  return {};
}

Result<> EpochFile::forget() {
  MutexLock changing(change_mutex_);
  // In this order: epochs without the newest one seen would be a broker's that has missed them.
  for (const std::string& path : {path_, path_ + kBackup, seen_path_}) {
    RMQ_TRY(const bool exists, files_.exists(path));
    if (exists) RMQ_CHECK(files_.remove(path));
  }
  MutexLock lock(mutex_);
  history_ = EpochHistory();
  seen_ = Epoch{};
  return {};
}

Result<> EpochFile::see(Epoch epoch) {
  MutexLock changing(change_mutex_);
  return epoch > seen() ? save_seen(epoch) : Result<>();
}

// The copy is as new as the file: an older one would give records to an epoch that is not theirs.
Result<> EpochFile::save(const EpochHistory& history) {
  const std::string text = replication::encode_epochs(history, text_crc32);
  RMQ_CHECK(write_file_atomically(files_, path_, as_bytes(text)));
  return write_file_atomically(files_, path_ + kBackup, as_bytes(text));
}

Result<> EpochFile::save_seen(Epoch epoch) {
  RMQ_CHECK(files_.make_directories(parent_directory(seen_path_)));
  RMQ_CHECK(
      write_file_atomically(files_, seen_path_, as_bytes(std::to_string(epoch.value) + "\n")));
  MutexLock lock(mutex_);
  seen_ = epoch;
  return {};
}

}  // namespace rmq::roles::broker
