#include "storage/message_store_impl.h"

#include "base/log.h"
#include "storage/recovery.h"
#include "storage/store_format.h"

namespace rmq::storage {

Result<> MessageStore::Impl::open(ProgressListener on_progress) {
  RMQ_CHECK(log_directories_.check());
  // First, because the lock leaves its mark.
  RMQ_CHECK(check_store_format(files_, layout_));
  RMQ_TRY(lock_, StoreLock::acquire(files_, layout_));
  RMQ_TRY(checkpoint_, Checkpoint::open(files_, layout_.checkpoint()));
  RMQ_TRY(marks_, LogMarkFile::open(files_, layout_.log_mark(), checkpoint_->values()));
  RMQ_CHECK(log_.load());
  Recovery recovery(log_, queues_, maker_, checkpoint_->values(), marks_->found(),
                    std::move(on_progress));
  RMQ_CHECK(queues_.load(recovery.search(lock_->unclean())));
  RMQ_TRY(recovered_, recovery.run(lock_->unclean()));
  const std::int64_t end = recovered_.position.value;
  appended_.advance(AppendedOffset{end});
  flushed_.advance(FlushedOffset{end});
  dispatched_.advance(DispatchedOffset{end});
  last_store_timestamp_ms_ = recovered_.last_store_timestamp_ms;
  RMQ_CHECK(hide_deleted(recovered_.position));
  reader_.mapped_from(recovered_.position);
  if (config_.message_index_enable) RMQ_CHECK(open_index());
  housekeeper_.emplace(Housekeeper::Parts{log_, queues_, dispatcher_, group_commit_, flushed_,
                                          *checkpoint_, *marks_, config_.hot_log_bytes,
                                          config_.message_index_enable ? &builder_ : nullptr});
  if (config_.block_checksums_enable) {
    RMQ_CHECK(open_scrubber(recovery.read_from()));
  }
  RMQ_CHECK(ensure_note());
  retention_.emplace(Retention::Parts{config_, files_, clock_, layout_.root(), log_, queues_,
                                      config_.message_index_enable ? &index_ : nullptr});
  log::info("store", "open", kv("root", layout_.root()), kv("stopped", !lock_->unclean()),
            kv("begin", log_.begin().value), kv("end", end));
  return {};
}

Result<> MessageStore::Impl::open_scrubber(PhysicalOffset recovered_from) {
  BlockSums sums(files_, layout_.checksums(), config_.commit_log_segment_bytes);
  scrubber_.emplace(Scrubber::Parts{log_, flushed_, std::move(sums), config_.scrub_bytes_per_second,
                                    config_.block_checksums_interval});
  const auto& mark = marks_->found();
  return scrubber_->open(recovered_from, recovered_.position, mark && fits(*mark, log_));
}

// Without a note of the index nothing would say, after a crash, how far it is of this log and not
// of what the log has lost.
Result<> MessageStore::Impl::ensure_note() {
  const auto& mark = marks_->found();
  const bool noted = mark && fits(*mark, log_) && (mark->index || !config_.message_index_enable);
  if (noted) return {};
  Result<> written = queues_.sync();
  if (written) written = housekeeper_->note(recovered_, false);
  if (written || !is_disk_full(written.error())) return written;
  log::warn("store", "full disk: no note of what is on it, until there is room");
  return {};
}

Result<> MessageStore::Impl::open_index() {
  IndexSituation situation;
  situation.clean = !lock_->unclean();
  if (const auto& mark = marks_->found(); mark && fits(*mark, log_)) {
    situation.mark = mark->index;
    // Without a mark of the index it was switched off, or given up: as it is, it may be torn.
    situation.clean = mark->clean && mark->index && !lock_->unclean();
  }
  situation.log_begin = log_.begin();
  situation.log_end = recovered_.position;
  RMQ_CHECK(index_.open(situation));
  return builder_.open(recovered_.position);
}

Result<> MessageStore::Impl::hide_deleted(PhysicalOffset log_end) {
  MutexLock lock(deleted_mutex_);
  RMQ_TRY(deleted_, DeletedMessages::load(files_, layout_.deleted_messages()));
  if (deleted_->clamp(log_end)) RMQ_CHECK(deleted_->save());
  for (const auto& [topic, end] : deleted_->ends()) {
    for (StoredQueue* queue : queues_.of_topic(topic)) RMQ_CHECK(queue->entries.hide_before(end));
  }
  return {};
}

Result<> MessageStore::Impl::delete_messages(std::string_view topic, PhysicalOffset end) {
  if (dispatched_.value().value < end.value) {
    return fail(StoreErrc::OffsetOutOfRange, "not dispatched up to " + std::to_string(end.value) +
                                                 ", the log may have been cut");
  }
  MutexLock lock(deleted_mutex_);
  deleted_->note(std::string(topic), end);
  RMQ_CHECK(deleted_->save());
  for (StoredQueue* queue : queues_.of_topic(topic)) RMQ_CHECK(queue->entries.hide_before(end));
  return {};
}

LogWriter::Hooks MessageStore::Impl::writer_hooks() {
  LogWriter::Hooks hooks;
  hooks.hand_over = [this](std::span<const DispatchEntry> entries) {
    dispatcher_.hand_over(entries);
  };
  hooks.on_appended = [this] {
    if (sync_flush()) {
      group_commit_.request_flush();
    } else {
      wake_dispatcher_if_visible();
    }
  };
  hooks.on_left_over = [this] { dispatcher_.wake(); };
  hooks.on_half_full = [this] { housekeeper_->want_segment(); };
  hooks.on_disk_full = [this](const Error& why) { disk_is_full(why); };
  hooks.on_error = [this](const Error& why) { fail_store(why); };
  return hooks;
}

LogFollower::Hooks MessageStore::Impl::follower_hooks() {
  LogWriter::Hooks of_writer = writer_hooks();
  LogFollower::Hooks hooks;
  hooks.hand_over = std::move(of_writer.hand_over);
  hooks.on_appended = std::move(of_writer.on_appended);
  hooks.on_half_full = std::move(of_writer.on_half_full);
  hooks.on_disk_full = std::move(of_writer.on_disk_full);
  hooks.on_error = std::move(of_writer.on_error);
  return hooks;
}

std::int64_t MessageStore::Impl::last_store_timestamp_ms() const {
  return following_ ? follower_.last_store_timestamp_ms() : writer_.last_store_timestamp_ms();
}

// Calls of several threads may overtake each other.
void MessageStore::Impl::confirm(ConfirmedOffset end) {
  {
    MutexLock lock(confirm_mutex_);
    if (shows_all_ || between_reigns_ || (limited_ && end.value <= confirmed_)) return;
    limited_ = end != MessageStore::kAllConfirmed;
    confirmed_.store(end.value, std::memory_order_release);
  }
  wake_dispatcher();
}

// There is more in the log, or on disk. The dispatcher sleeps on when it cannot go on before
// confirm(): on a master that waits for replicas it would be woken twice for each turn of sends,
// the first time for nothing.
void MessageStore::Impl::wake_dispatcher_if_visible() {
  // Together with the one in wake_dispatcher(): either this sees the limit as it is now, or the
  // dispatcher sees the log as it is now.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (visible_limit().value > dispatched_.value().value) dispatcher_.wake();
}

// The limit has changed.
void MessageStore::Impl::wake_dispatcher() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  dispatcher_.wake();
}

// Nobody reads any more, and the next start shows all that it finds.
void MessageStore::Impl::show_all() {
  MutexLock lock(confirm_mutex_);
  shows_all_ = true;
  confirmed_ = std::numeric_limits<std::int64_t>::max();
}

Retention::Hooks MessageStore::Impl::retention_hooks() {
  Retention::Hooks hooks;
  // A queue whose messages are all gone has only its files to say how far it has counted.
  hooks.limit = [this] { return housekeeper_->noted(); };
  hooks.on_full = [this](const Error& why) { pause(why); };
  hooks.on_room = [this] {
    writer_.resume();
    follower_.unpause();
  };
  return hooks;
}

// Both: a full disk outlives the reign.
void MessageStore::Impl::pause(const Error& why) {
  writer_.pause(why);
  follower_.pause(why);
}

// A file could not be made or lengthened.
void MessageStore::Impl::disk_is_full(const Error& why) {
  pause({make_error_code(StoreErrc::DiskFull), why.message()});
  retention_->disk_was_full();
}

Dispatcher::Hooks MessageStore::Impl::dispatcher_hooks() {
  Dispatcher::Hooks hooks;
  hooks.limit = [this] { return visible_limit(); };
  hooks.on_arrival = on_arrival_;
  if (config_.message_index_enable) {
    hooks.on_dispatched = [this](std::span<const DispatchEntry> entries, PhysicalOffset end) {
      builder_.follow(entries, end);
    };
  }
  hooks.on_disk_full = [this](const Error& why) { disk_is_full(why); };
  hooks.on_error = [this](const Error& why) { fail_store(why); };
  hooks.help = [this] { writer_.help(); };
  return hooks;
}

void MessageStore::Impl::start(Reign reign) {
  writer_.start(writer_hooks());
  follower_.start(follower_hooks());
  take_up(reign);
  start_threads();
}

// From recovered_ on.
void MessageStore::Impl::start_threads() {
  const auto fail_with = [this](const Error& why) { fail_store(why); };
  if (config_.message_index_enable) builder_.start();
  dispatcher_.start(recovered_, dispatcher_hooks());
  GroupCommit::Hooks commit_hooks;
  commit_hooks.last_store_timestamp_ms = [this] { return last_store_timestamp_ms(); };
  commit_hooks.on_flushed = [this] {
    if (sync_flush()) wake_dispatcher_if_visible();
  };
  commit_hooks.on_error = fail_with;
  group_commit_.start(config_.flush_interval, recovered_.last_store_timestamp_ms,
                      std::move(commit_hooks));
  housekeeper_->start(config_.flush_consume_queue_interval,
                      {[this](const Error& why) { disk_is_full(why); }, fail_with});
  retention_->start(retention_hooks());
  if (scrubber_) scrubber_->start();
}

// Also when they do not run, or are not even there.
void MessageStore::Impl::stop_threads(GroupCommit::Final final) {
  if (scrubber_) scrubber_->stop();
  if (retention_) retention_->stop();
  if (housekeeper_) housekeeper_->stop();
  group_commit_.stop(final);
  dispatcher_.stop(Dispatcher::Drain::No);
  builder_.stop();
}

void MessageStore::Impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  if (scrubber_) scrubber_->stop();
  retention_->stop();
  writer_.stop();
  follower_.stop();
  show_all();
  group_commit_.stop(failed_ ? GroupCommit::Final::None : GroupCommit::Final::Flush);
  dispatcher_.stop(failed_ ? Dispatcher::Drain::No : Dispatcher::Drain::Yes);
  builder_.stop();
  housekeeper_->stop();
  if (failed_) return;  // `abort` stays
  if (dispatcher_.progress().position < visible_limit()) {
    log::warn("store", "stopped with messages that are not in queues: the disk is full",
              kv("from", dispatcher_.progress().position.value));
    return;  // likewise: the next start puts them there
  }
  Result<> done = queues_.sync();
  if (!done && is_disk_full(done.error())) {
    log::warn("store", "stopped with messages that are not in queues: the disk is full",
              kv("error", done.error().message()));
    return;
  }
  if (done) done = housekeeper_->note(dispatcher_.progress(), true);
  if (done) done = lock_->mark_clean(files_, layout_);
  if (!done && is_disk_full(done.error())) {
    return log::warn("store", "full disk: no note of this stop, the next start reads the log");
  }
  if (!done) return fail_store(done.error());
  log::info("store", "stopped", kv("end", appended_.value().value));
}

// Any thread, outside every lock. The first reason counts.
void MessageStore::Impl::fail_store(const Error& reason) {
  if (failed_.exchange(true)) return;
  const Error why = reason.code == StoreErrc::ReadOnly
                        ? reason
                        : Error{make_error_code(StoreErrc::ReadOnly), reason.message()};
  log::error("store", "no more writes", kv("error", reason.message()));
  writer_.fail_all(why);
  follower_.refuse(why);
  appended_.close(why);
  flushed_.close(why);
  dispatched_.close(why);
  builder_.indexed().close(why);
  if (on_fatal_) on_fatal_(why);
}

}  // namespace rmq::storage
