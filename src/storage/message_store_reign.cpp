// How reigns end and begin, and how the log is cut in between.
//
// A cut is rare. All threads of the store rest meanwhile and readers are kept out, so that each
// part is cut as after a start. The order is for crashes: what lies behind is kept; a note says
// that nothing is known to be on disk beyond the cut, nor of the index; then the queues are cut,
// then the log, and all that follows recovery would do as well.
#include "base/log.h"
#include "storage/diverged_log.h"
#include "storage/log_cursor.h"
#include "storage/message_store_impl.h"

namespace rmq::storage {

void MessageStore::Impl::end_reign(const Error& why) {
  if (!reigns_) return;
  reigns_ = false;
  const Error refusal{make_error_code(StoreErrc::NoReign), why.message()};
  writer_.rest(refusal);
  follower_.rest(refusal);
  last_store_timestamp_ms_ = last_store_timestamp_ms();
  {
    MutexLock lock(confirm_mutex_);
    between_reigns_ = true;
  }
  reign_.fetch_add(1, std::memory_order_acq_rel);
  appended_.end_reign(why);
  flushed_.end_reign(why);
  dispatched_.end_reign(why);
  builder_.indexed().end_reign(why);
  log::info("store", "reign ended", kv("because", why.message()),
            kv("end", appended_.value().value));
}

Result<> MessageStore::Impl::begin_reign(Reign reign, std::optional<PhysicalOffset> cut,
                                         std::optional<ConfirmedOffset> confirmed) {
  RMQ_ASSERT(!reigns_);
  if (stopped_) return fail(StoreErrc::Stopped);
  if (failed_) return fail(StoreErrc::ReadOnly, "the store has failed");
  const PhysicalOffset end{appended_.value().value};
  if (cut == end) cut.reset();
  // What an append could not take back, on a full disk. A cut wipes it too.
  const PhysicalOffset unwiped = std::max(writer_.unwiped_end(), follower_.unwiped_end());
  if (unwiped > end) {
    RMQ_CHECK(log_.wipe(end, unwiped));
  }
  if (cut) {
    RMQ_CHECK(cut_log(*cut, confirmed));
  } else {
    limit_confirmed(confirmed);
  }
  // What the store has got as a follower is in queues when it leads, as far as it may be.
  if (reign == Reign::Leading) dispatcher_.settle();
  appended_.begin_reign();
  flushed_.begin_reign();
  dispatched_.begin_reign();
  builder_.indexed().begin_reign();
  take_up(reign);
  log::info("store", reign == Reign::Leading ? "leads" : "follows",
            kv("from", appended_.value().value));
  return {};
}

// Whoever writes begins where the log ends.
void MessageStore::Impl::take_up(Reign reign) {
  const PhysicalOffset end{appended_.value().value};
  reigns_ = true;
  following_ = reign == Reign::Following;
  if (following_) {
    writer_.rest({make_error_code(StoreErrc::Following), {}});
    follower_.begin_reign(end, last_store_timestamp_ms_);
  } else {
    follower_.rest({make_error_code(StoreErrc::Stopped), "the store does not follow"});
    writer_.begin_reign(end, last_store_timestamp_ms_, reign_);
  }
}

// The log may have been cut.
void MessageStore::Impl::limit_confirmed(std::optional<ConfirmedOffset> confirmed) {
  {
    MutexLock lock(confirm_mutex_);
    between_reigns_ = false;
    if (confirmed) {
      limited_ = *confirmed != MessageStore::kAllConfirmed;
      confirmed_.store(confirmed->value, std::memory_order_release);
    } else if (limited_) {
      confirmed_.store(std::min(confirmed_.load(), appended_.value().value),
                       std::memory_order_release);
    }
  }
  wake_dispatcher();
}

Result<> MessageStore::Impl::cut_log(PhysicalOffset at, std::optional<ConfirmedOffset> confirmed) {
  stop_threads(GroupCommit::Final::Flush);
  if (failed_) return fail(StoreErrc::ReadOnly, "the store has failed");
  recovered_ = dispatcher_.progress();
  const Result<Cut> cut = prepare_cut(at);
  if (!cut) {
    log::error("store", "the log is not cut", kv("at", at.value),
               kv("end", appended_.value().value), kv("error", cut.error().message()));
    start_threads();
    return fail(cut.error());
  }
  gate_.close();
  if (const Result<> done = carry_out(*cut); !done) {
    // The gate stays closed: nobody knows what readers would find.
    fail_store(done.error());
    return fail(StoreErrc::ReadOnly, done.error().message());
  }
  limit_confirmed(confirmed);
  gate_.open();
  start_threads();
  return {};
}

// What can be refused or fail without a change, and the copy of what lies behind.
Result<MessageStore::Impl::Cut> MessageStore::Impl::prepare_cut(PhysicalOffset at) {
  const PhysicalOffset end{appended_.value().value};
  Cut cut;
  cut.end = at;
  RMQ_TRY(cut.progress, progress_at(at));
  cut.last_store_timestamp_ms = cut.progress.last_store_timestamp_ms;
  RMQ_CHECK(queues_.sync());
  if (recovered_.position <= at) {
    cut.progress = recovered_;  // dispatch was not there yet
  } else {
    RMQ_TRY(cut.progress.queues, queues_.count_begun_before(at));
  }
  RMQ_CHECK(visit_entries(at, end, [&cut](const DispatchEntry& entry) {
    cut.queue_ends.try_emplace(entry.queue, entry.queue_offset);
  }));
  if (config_.message_index_enable) cut.index = builder_.sync(MessageIndex::Force::Yes);
  const std::int64_t bytes = end - at;
  if (config_.diverged_bytes_max == 0) {
    log::warn("store",
              "the log is cut, and what lies behind is not kept (store.diverged_bytes_max)",
              kv("at", at.value), kv("bytes", bytes));
    return cut;
  }
  if (bytes > config_.diverged_bytes_max) {
    return fail(StoreErrc::DivergedTooLong,
                std::to_string(bytes) + " bytes behind " + std::to_string(at.value) +
                    ", store.diverged_bytes_max is " + std::to_string(config_.diverged_bytes_max) +
                    ": raise it, or set it to 0 to lose them");
  }
  const Result<std::string> kept =
      keep_diverged(files_, log_, layout_.diverged(), at, end, clock_.now_ms());
  if (!kept) {
    if (!is_disk_full(kept.error())) return fail(kept.error());
    return fail(StoreErrc::DiskFull, "no room for the " + std::to_string(bytes) + " bytes behind " +
                                         std::to_string(at.value) + " in " + layout_.diverged() +
                                         ": " + kept.error().message());
  }
  log::warn("store", "what only this log has is kept, and the log is cut", kv("at", at.value),
            kv("bytes", bytes), kv("file", *kept),
            kv("advice", "'rmq store salvage' sends it again"));
  return cut;
}

// What lies before `at`, where a record or the log must begin or end. Of queues nothing.
Result<Dispatcher::Progress> MessageStore::Impl::progress_at(PhysicalOffset at) {
  Dispatcher::Progress progress;
  progress.position = at;
  if (at < log_.begin() || at.value > appended_.value().value) {
    return fail(StoreErrc::OffsetOutOfRange, "cannot cut at " + std::to_string(at.value) +
                                                 ", the log has " +
                                                 std::to_string(log_.begin().value) + " to " +
                                                 std::to_string(appended_.value().value));
  }
  if (at == log_.begin()) return progress;
  // A segment begins with a record.
  const std::int64_t segment = (at.value - 1) / log_.segment_bytes() * log_.segment_bytes();
  LogCursor cursor(log_, PhysicalOffset{segment}, at, protocol::CheckBody::No);
  for (;;) {
    RMQ_TRY(const std::optional<protocol::MessageRecord> record, cursor.next());
    if (!record) break;
    progress.last_record = record->physical_offset;
    progress.last_record_bytes = record->total_bytes;
    progress.last_store_timestamp_ms = record->store_timestamp_ms;
  }
  if (cursor.position() == at) return progress;
  return fail(StoreErrc::RecordMalformed, "cannot cut at " + std::to_string(at.value) +
                                              ", which is not the end of a record; one ends at " +
                                              std::to_string(cursor.position().value));
}

Result<> MessageStore::Impl::carry_out(const Cut& cut) {
  const PhysicalOffset written_end{appended_.value().value};
  RMQ_CHECK(housekeeper_->note_before_cut(cut.progress, cut.end));
  // While the log still has the records behind: a start amid this gives queues their entries again.
  // The other way round, one would find queues that are ahead of the log, and an entry that goes
  // with its record would take the queue's next number along.
  RMQ_CHECK(cut_queues(cut));
  RMQ_CHECK(log_.truncate(cut.end, written_end));
  recovered_ = cut.progress;
  RMQ_TRY(recovered_.queues, queues_.count_begun_before(recovered_.position));
  recovered_.sum_of_ends = queues_.sum_of_ends();
  RMQ_CHECK(hide_deleted(cut.end));
  if (scrubber_) {
    RMQ_CHECK(scrubber_->cut(cut.end));
  }
  appended_.begin_reign(AppendedOffset{cut.end.value});
  flushed_.begin_reign(FlushedOffset{cut.end.value});
  dispatched_.begin_reign(DispatchedOffset{recovered_.position.value});
  if (config_.message_index_enable) {
    RMQ_CHECK(cut_index(cut));
  }
  reader_.note_cut(cut.end);
  last_store_timestamp_ms_ = cut.last_store_timestamp_ms;
  group_commit_.rewind(recovered_.last_store_timestamp_ms);
  const Result<> noted = housekeeper_->note(recovered_, false);
  if (noted || !is_disk_full(noted.error())) return noted;
  log::warn("store", "full disk: no note of what is on it, until there is room");
  return {};
}

Result<> MessageStore::Impl::cut_queues(const Cut& cut) {
  const std::vector<StoredQueue*> all = queues_.all();
  for (StoredQueue* queue : all) {
    ConsumeQueue& entries = queue->entries;
    RMQ_CHECK(entries.cut_in_use(cut.end, log_.begin()));
    // An empty log may go on with another one's, which begins anywhere.
    if (cut.end.value == 0) {
      RMQ_CHECK(entries.restart_at({}));
    }
    const auto end = cut.queue_ends.find(queue);
    if (end != cut.queue_ends.end() && entries.written_end() > end->second) {
      RMQ_CHECK(entries.restart_at(end->second));
    }
    queue->next_offset = entries.written_end();
  }
  queues_.mark_dirty(all);
  RMQ_CHECK(queues_.sync());
  // Records that are in the log, but not in queues yet, have their numbers.
  return visit_entries(cut.progress.position, cut.end, [](const DispatchEntry& entry) {
    entry.queue->next_offset = entry.queue_offset + 1;
  });
}

// Those of records in [from, end) that have a place in a queue.
Result<> MessageStore::Impl::visit_entries(PhysicalOffset from, PhysicalOffset end,
                                           const std::function<void(const DispatchEntry&)>& visit) {
  LogCursor cursor(log_, from, end, protocol::CheckBody::No);
  for (;;) {
    RMQ_TRY(const std::optional<protocol::MessageRecord> record, cursor.next());
    if (!record) return {};
    RMQ_TRY(const DispatchEntry entry, maker_.make(*record));
    if (entry.queue != nullptr) visit(entry);
  }
}

// An index that cannot be cut is built anew.
Result<> MessageStore::Impl::cut_index(const Cut& cut) {
  IndexSituation situation;
  situation.mark = cut.index;
  situation.clean = cut.index.has_value();
  situation.log_begin = log_.begin();
  situation.log_end = cut.end;
  if (const Result<> opened = index_.open(situation); !opened) {
    log::warn("store", "message index cannot be cut, built anew",
              kv("error", opened.error().message()));
    RMQ_CHECK(index_.reset(log_.begin()));
  }
  return builder_.reopen(recovered_.position);
}

}  // namespace rmq::storage
