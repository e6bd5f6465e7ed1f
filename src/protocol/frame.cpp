#include "protocol/frame.h"

#include <string>

#include "protocol/head_writer.h"
#include "protocol/header_binary.h"
#include "protocol/header_json.h"
#include "protocol/response_codes.h"

namespace rmq::protocol {
namespace {

constexpr std::size_t kWordBytes = 4;
constexpr std::size_t kHeadBytes = kLengthBytes + kWordBytes;

struct HeaderWord {
  unsigned type = 0;
  std::size_t header_bytes = 0;
};

HeaderWord header_word(ByteView frame) {
  const auto word = load_big_endian<std::uint32_t>(frame.data() + kLengthBytes);
  return {word >> 24, word & 0xFFFFFF};
}

bool encode_whole(const Command& command, Bytes& out) {
  HeadWriter writer(command, out);
  for (const auto& [key, value] : command.fields) writer.field(key, value);
  if (!writer.finish()) return false;
  out.insert(out.end(), command.body.begin(), command.body.end());
  return true;
}

}  // namespace

Result<std::optional<std::size_t>> frame_size(ByteView bytes) {
  if (bytes.size() < kHeadBytes) return std::optional<std::size_t>();
  const auto length = load_big_endian<std::int32_t>(bytes.data());
  if (length < static_cast<std::int32_t>(kWordBytes)) {
    return fail(ProtocolErrc::FrameMalformed, "length " + std::to_string(length));
  }
  const auto size = static_cast<std::size_t>(length) + kLengthBytes;
  if (size > kFrameBytesMax) {
    return fail(ProtocolErrc::FrameTooLarge, "length " + std::to_string(length));
  }
  const HeaderWord word = header_word(bytes);
  if (word.type > static_cast<unsigned>(SerializeType::Binary)) {
    return fail(ProtocolErrc::FrameMalformed, "serialization type " + std::to_string(word.type));
  }
  if (word.header_bytes > size - kHeadBytes) {
    return fail(ProtocolErrc::FrameMalformed, "header of " + std::to_string(word.header_bytes) +
                                                  " bytes in a frame of " + std::to_string(size));
  }
  return std::optional<std::size_t>(size);
}

Result<> parse_frame(MutableByteView frame, CommandView& out) {
  RMQ_TRY(const std::optional<std::size_t> size, frame_size(frame));
  if (size != frame.size()) return fail(ProtocolErrc::FrameMalformed, "not one whole frame");
  const HeaderWord word = header_word(frame);
  const MutableByteView header = frame.subspan(kHeadBytes, word.header_bytes);
  out.code = 0;
  out.language = Language::Java;
  out.version = 0;
  out.opaque = 0;
  out.flag = 0;
  out.type = static_cast<SerializeType>(word.type);
  out.remark = {};
  out.fields.clear();
  out.body = frame.subspan(kHeadBytes + word.header_bytes);
  return out.type == SerializeType::Json ? parse_json_header(header, out)
                                         : parse_binary_header(header, out);
}

bool encode_frame(const Command& command, Bytes& out) {
  if (encode_whole(command, out)) return true;
  if ((command.flag & kFlagResponse) == 0) return false;
  Command refusal;
  refusal.code = static_cast<std::int32_t>(ResponseCode::SystemError);
  refusal.opaque = command.opaque;
  refusal.flag = command.flag;
  refusal.type = command.type;
  refusal.remark = "the response does not fit into a frame";
  encode_whole(refusal, out);
  return false;
}

}  // namespace rmq::protocol
