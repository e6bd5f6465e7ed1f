// Message properties: the text of a record and of a send header that holds names and values.
// Format (RocketMQ MessageDecoder.java): name 0x01 value 0x02, repeated; the last 0x02 may be
// missing. Nothing is escaped. As in Java, a pair without name or without value does not exist, and
// of equal names the last one counts. Threads: free functions over the caller's memory; every view
// views the text given.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace rmq::protocol {

// The names with a meaning to RocketMQ: property::kKeys, property::kTags ...
namespace property {
#define RMQ_PROPERTY(constant, text) inline constexpr std::string_view constant = text;
#include "protocol/property_names.def"
#undef RMQ_PROPERTY
}  // namespace property

inline constexpr char kNameValueSeparator = 1;
inline constexpr char kPropertySeparator = 2;

struct Property {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Property&, const Property&) = default;
};

// Walks the pairs in order of appearance, skipping those that do not exist for Java.
class PropertyReader {
 public:
  explicit PropertyReader(std::string_view text) : rest_(text) {}
  std::optional<Property> next();
  // True once something was skipped, or when the text ended without its separator: bytes that a
  // rewrite would change.
  bool irregular() const { return irregular_; }

 private:
  std::string_view rest_;
  bool irregular_ = false;
};

std::optional<std::string_view> find_property(std::string_view text, std::string_view name);

// True when neither holds a separator byte, which would make other pairs of it.
bool is_valid_property(std::string_view name, std::string_view value);

// Appends one pair. Name and value must be valid and not empty. `out` must be empty or end with a
// separator: what a peer sent may not, see SendProperties::irregular.
void append_property(std::string& out, std::string_view name, std::string_view value);
void append_property(Bytes& out, std::string_view name, std::string_view value);

// `text` as Java would write it again, in its order: pairs that do not exist are gone, of equal
// names only the last is left, `changes` are set, those with an empty value are removed.
std::string rewrite_properties(std::string_view text, std::span<const Property> changes = {});

// What a broker looks at when a message arrives, found in one pass. A view is empty when the
// property is absent: a property without value does not exist.
struct SendProperties {
  std::string_view uniq_key;
  std::string_view keys;
  std::string_view tags;
  std::string_view wait;  // see wait_for_store()
  std::string_view delay_level;
  std::string_view timer_delay_sec;
  std::string_view timer_delay_ms;
  std::string_view timer_deliver_ms;
  std::string_view timer_del_uniq_key;
  std::string_view transaction_prepared;  // see is_transaction_prepared()
  std::string_view producer_group;
  std::string_view check_immunity_seconds;
  std::string_view pop_ck;
  std::string_view sharding_key;
  std::string_view message_type;
  std::string_view retry_topic;
  std::string_view origin_message_id;
  std::string_view reconsume_time;
  std::string_view max_reconsume_times;
  std::string_view inner_multi_dispatch;
  std::string_view cluster;
  std::string_view msg_region;
  std::string_view trace_switch;
  std::string_view delay_mark;
  // A pair without name or value or a missing last separator: rewrite before storing or appending.
  bool irregular = false;

  // Java's default when the producer says nothing is to wait.
  bool wait_for_store() const;
  bool is_transaction_prepared() const;
};

SendProperties parse_send_properties(std::string_view text);

}  // namespace rmq::protocol
