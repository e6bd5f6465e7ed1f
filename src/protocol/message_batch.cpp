#include "protocol/message_batch.h"

#include <string>

#include "protocol/protocol_errc.h"

namespace rmq::protocol {

Result<std::optional<BatchEntry>> BatchReader::next() {
  if (reader_.remaining() == 0) return std::optional<BatchEntry>();
  const std::size_t at = reader_.position();
  BatchEntry entry;
  reader_.skip(12);
  entry.flag = reader_.read<std::int32_t>();
  const auto body_bytes = reader_.read<std::int32_t>();
  // A huge count fails the reader like any count beyond the end.
  entry.body = reader_.read_bytes(body_bytes < 0 ? SIZE_MAX : static_cast<std::size_t>(body_bytes));
  const auto properties_bytes = reader_.read<std::int16_t>();
  entry.properties = as_text(reader_.read_bytes(
      properties_bytes < 0 ? SIZE_MAX : static_cast<std::size_t>(properties_bytes)));
  if (reader_.failed()) {
    return fail(ProtocolErrc::BodyMalformed, "batch entry at byte " + std::to_string(at));
  }
  return std::optional<BatchEntry>(entry);
}

Result<> append_batch_entry(const BatchEntry& entry, Bytes& out) {
  const std::size_t size = kBatchEntryBytesMin + entry.body.size() + entry.properties.size();
  if (entry.properties.size() > 32767 || size > 0x7FFFFFFF) {
    return fail(ProtocolErrc::BodyMalformed,
                "batch entry with " + std::to_string(entry.properties.size()) +
                    " bytes of properties and " + std::to_string(entry.body.size()) + " of body");
  }
  BigEndianWriter writer(out);
  writer.write(static_cast<std::int32_t>(size));
  writer.write(std::int32_t{0});
  writer.write(std::int32_t{0});
  writer.write(entry.flag);
  writer.write(static_cast<std::int32_t>(entry.body.size()));
  writer.write_bytes(entry.body);
  writer.write(static_cast<std::int16_t>(entry.properties.size()));
  writer.write_text(entry.properties);
  return {};
}

}  // namespace rmq::protocol
