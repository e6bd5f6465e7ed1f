// Findings: what a check of a store that nobody has open has found.
// Threads: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rmq::storage::offline {

// X(enumerator, name for programs)
#define RMQ_FINDING_KINDS(X)                                                     \
  X(LogFile, "log_file")         /* a file of the commit log */                  \
  X(Record, "record")            /* bytes of the log that are no sound record */ \
  X(Checksum, "checksum")        /* bytes of the log that have changed */        \
  X(LostMessage, "lost_message") /* a number that no record of the log has */    \
  X(Tail, "tail")                /* what lies behind the end of the log */       \
  X(QueueFile, "queue_file")     /* a file of a consume queue, or all of them */ \
  X(QueueEntry, "queue_entry")   /* an entry that is not that of its record */   \
  X(Index, "index")              /* a file of the message index */               \
  X(Outside, "outside")          /* sound records that no queue knows */

enum class FindingKind : std::size_t {
#define RMQ_FINDING_KIND(name, text) name,
  RMQ_FINDING_KINDS(RMQ_FINDING_KIND)
#undef RMQ_FINDING_KIND
};
#define RMQ_FINDING_KIND(name, text) +1
inline constexpr std::size_t kFindingKinds = 0 RMQ_FINDING_KINDS(RMQ_FINDING_KIND);
#undef RMQ_FINDING_KIND

const char* name_of(FindingKind kind);

enum class Harm {
  Note,      // no damage: what a crash leaves and the next start puts in order, or Java leaves
  Nothing,   // damage that costs no message: it can be made again from the log
  Messages,  // what was there is gone
};
const char* name_of(Harm harm);

struct Finding {
  FindingKind kind = FindingKind::Record;
  Harm harm = Harm::Nothing;
  std::string file;           // below the store directory, or absolute; may be empty
  std::int64_t position = 0;  // of a Record in the log, else in the file; bytes
  std::string what;
};

// Counts all, keeps the first ones; those that cost messages come first.
class Findings {
 public:
  explicit Findings(std::size_t keep) : keep_(keep) {}

  void add(Finding finding);

  std::vector<Finding> kept() const;
  std::int64_t count_of(FindingKind kind) const { return kinds_[static_cast<std::size_t>(kind)]; }
  std::int64_t count_of(Harm harm) const { return harms_[static_cast<std::size_t>(harm)]; }
  std::int64_t count() const;
  bool sound() const { return count_of(Harm::Nothing) + count_of(Harm::Messages) == 0; }

 private:
  std::size_t keep_;
  std::array<std::vector<Finding>, 3> kept_;  // by harm
  std::array<std::int64_t, kFindingKinds> kinds_{};
  std::array<std::int64_t, 3> harms_{};
};

}  // namespace rmq::storage::offline
