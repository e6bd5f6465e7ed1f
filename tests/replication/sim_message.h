// What the nodes of a simulation say to each other. Between replicas these are the messages of
// replication/message.h, in a session; the rest are requests and answers of RocketMQ's remoting
// protocol as far as they matter here.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "replication/broker_set.h"
#include "replication/election.h"
#include "replication/liveness.h"
#include "replication/message.h"
#include "tests/replication/sim_world.h"

namespace rmq::sim {

using namespace rmq::replication;

// A record of a log: its number, which its producer gave it, and the epoch in which it was written.
struct Record {
  std::int64_t number = 0;
  Epoch epoch;

  friend bool operator==(const Record&, const Record&) = default;
};
using Records = std::vector<Record>;

// --- Broker and controller

enum class Question { Register, Info, Elect, Alter };
struct AskControl {
  Question question = Question::Info;
  Election election;
  SetProposal proposal;
};
struct ControlSays {
  std::optional<Question> question;  // none: a notice
  bool refused = false;
  ReignInfo info;
};
struct Beat {
  Heartbeat heartbeat;
  std::uint64_t connection = 0;
};
// The transport tells a controller that a broker's connection closed.
struct BrokerClosed {
  std::uint64_t connection = 0;
};

// --- Controller and store

struct AskStore {
  std::uint64_t operation = 0;
  std::optional<BrokerSet> write;  // compare-and-swap; none: read
};
struct StoreSays {
  std::uint64_t operation = 0;
  bool was_write = false;
  bool stored = false;
  BrokerSet value;  // as it is now
};

// --- Replicas

struct Block {
  BlockHead head;
  Records records;
};
struct Closed {};
struct InSession {
  std::uint64_t session = 0;
  std::variant<SlaveHandshake, MasterHandshake, Report, Block, Closed> what;
};
struct AskOffset {};
struct OffsetIs {
  Epoch epoch;
  QueueOffset committed;
};

// --- Clients

struct Send {
  std::int64_t number = 0;
};
enum class SendOutcome { Ok, NotMaster, Refused, Unknown };
struct SendSays {
  std::int64_t number = 0;
  SendOutcome outcome = SendOutcome::Unknown;
  std::optional<ReplicaId> master;
  PhysicalOffset offset;
};
struct Pull {
  std::optional<PhysicalOffset> from;  // none: from the committed offset
  Epoch epoch;
};
struct PullSays {
  bool is_master = false;
  std::optional<ReplicaId> master;
  Epoch epoch;
  PhysicalOffset from;
  Records records;
};
struct Commit {
  Epoch epoch;
  QueueOffset offset;
};

using Message =
    std::variant<AskControl, ControlSays, Beat, BrokerClosed, AskStore, StoreSays, InSession,
                 AskOffset, OffsetIs, Send, SendSays, Pull, PullSays, Commit>;

}  // namespace rmq::sim
