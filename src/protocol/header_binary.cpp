#include "protocol/header_binary.h"

#include "protocol/header_json.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

// A length of type L and so many bytes; false when it leads out of what the reader has.
template <class L>
bool read_text(BigEndianReader& reader, std::string_view& out) {
  const L length = reader.read<L>();
  if (length < 0) return false;
  out = as_text(reader.read_bytes(static_cast<std::size_t>(length)));
  return !reader.failed();
}

bool read_fields(ByteView bytes, CommandView& out) {
  BigEndianReader reader(bytes);
  while (reader.remaining() != 0) {
    CommandView::Field field;
    if (!read_text<std::int16_t>(reader, field.key)) return false;
    if (!read_text<std::int32_t>(reader, field.value)) return false;
    if (field.key.empty() || field.value.empty()) continue;
    if (out.fields.size() == kFieldsMax) return false;
    out.fields.push_back(field);
  }
  return true;
}

}  // namespace

Result<> parse_binary_header(ByteView header, CommandView& out) {
  BigEndianReader reader(header);
  out.code = reader.read<std::int16_t>();
  out.language = language_from_number(reader.read<std::int8_t>());
  out.version = reader.read<std::int16_t>();
  out.opaque = reader.read<std::int32_t>();
  out.flag = reader.read<std::int32_t>();
  bool well_formed = read_text<std::int32_t>(reader, out.remark);
  const auto field_bytes = reader.read<std::int32_t>();
  if (field_bytes > 0) {
    const ByteView fields = reader.read_bytes(static_cast<std::size_t>(field_bytes));
    well_formed = well_formed && !reader.failed() && read_fields(fields, out);
  }
  if (!well_formed || reader.failed()) {
    return fail(ProtocolErrc::HeaderMalformed, "binary header");
  }
  return {};
}

}  // namespace rmq::protocol
