// Command: one request or response of the remoting protocol. CommandView is what a frame parses to:
// views into the frame, no allocation per field. Command owns its bytes: outgoing requests, and
// what must outlive its frame. Format: RocketMQ RemotingCommand.java (JSON header),
// RocketMQSerializable.java (binary header).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace rmq::protocol {

// The top byte of a frame's header word.
enum class SerializeType : std::uint8_t { Json = 0, Binary = 1 };

// LanguageCode.java; unknown names and numbers become Other.
enum class Language : std::uint8_t {
  Java,
  Cpp,
  Dotnet,
  Python,
  Delphi,
  Erlang,
  Ruby,
  Other,
  Http,
  Go,
  Php,
  Oms,
  Rust,
  NodeJs
};
// "JAVA", "CPP" and so on, as on the wire.
std::string_view language_name(Language language);
// In any case of letters.
Language language_from_name(std::string_view name);
Language language_from_number(std::int64_t ordinal);

inline constexpr std::int32_t kFlagResponse = 1;
inline constexpr std::int32_t kFlagOneway = 2;
// The ordinal of V5_3_3 in MQVersion.java: what rmq says it is.
inline constexpr std::int32_t kVersion = 479;

// A parsed header and the body behind it. Reuse one object for many frames: `fields` keeps its
// capacity. Lifetime: everything views the frame given to parse_frame().
struct CommandView {
  struct Field {
    std::string_view key;
    std::string_view value;
  };

  std::int32_t code = 0;
  Language language = Language::Java;
  std::int32_t version = 0;
  std::int32_t opaque = 0;
  std::int32_t flag = 0;
  SerializeType type = SerializeType::Json;
  std::string_view remark;
  std::vector<Field>
      fields;  // the ext fields, in order of appearance; of equal keys the last one counts
  ByteView body;

  bool is_response() const { return (flag & kFlagResponse) != 0; }
  bool is_oneway() const { return (flag & kFlagOneway) != 0; }
  // The value of ext field `key`, or nothing when it is absent or null.
  std::optional<std::string_view> find(std::string_view key) const;
};

struct Command {
  std::int32_t code = 0;
  // Not Cpp: a Java broker answers a C++ administrator's request to reset offsets (222) with a body
  // of another form, and sends that form to the group's consumers, whatever they are.
  Language language = Language::Java;
  std::int32_t version = kVersion;
  std::int32_t opaque = 0;
  std::int32_t flag = 0;
  SerializeType type = SerializeType::Json;
  std::string remark;
  std::vector<std::pair<std::string, std::string>> fields;
  Bytes body;

  Command() = default;
  explicit Command(const CommandView& view);  // a deep copy
  // Valid while this object lives and is not changed.
  CommandView view() const;
};

}  // namespace rmq::protocol
