// Frames, both header forms, and the typed headers on top: any bytes are refused or parsed, and
// what was parsed comes out the same when it is encoded and parsed again.
#include <string>

#include "protocol/frame.h"
#include "protocol/header_fields.h"
#include "protocol/pull.h"
#include "protocol/route.h"
#include "protocol/send.h"
#include "protocol/topic.h"
#include "tests/fuzz/fuzz_target.h"

namespace rmq::protocol {
namespace {

void check_inside(std::string_view text, ByteView frame) {
  const std::string_view whole = as_text(frame);
  const std::less_equal<const char*> before;
  FUZZ_CHECK(text.empty() || (before(whole.data(), text.data()) &&
                              before(text.data() + text.size(), whole.data() + whole.size())));
}

template <class Header>
void check_header(const CommandView& view) {
  const Result<Header> header = decode_fields<Header>(view);
  if (!header) {
    FUZZ_CHECK(header.error().code == ProtocolErrc::FieldMissing ||
               header.error().code == ProtocolErrc::FieldMalformed);
    return;
  }
  Bytes head;
  encode_response_head({.type = view.type, .opaque = view.opaque}, *header, head);
}

void check_round_trip(const CommandView& view) {
  const Command command(view);
  Bytes encoded;
  if (!encode_frame(command, encoded)) return;
  CommandView again;
  FUZZ_CHECK(parse_frame(encoded, again));
  const Command copy(again);
  FUZZ_CHECK(copy.code == command.code);
  FUZZ_CHECK(copy.language == command.language);
  FUZZ_CHECK(copy.version == command.version);
  FUZZ_CHECK(copy.opaque == command.opaque);
  FUZZ_CHECK(copy.flag == command.flag);
  FUZZ_CHECK(copy.remark == command.remark.substr(0, copy.remark.size()));
  FUZZ_CHECK(copy.remark == command.remark || command.remark.size() > kRemarkBytesMax);
  FUZZ_CHECK(copy.fields == command.fields);
  FUZZ_CHECK(copy.body == command.body);
}

}  // namespace
}  // namespace rmq::protocol

void fuzz_one_input(rmq::ByteView input) {
  using namespace rmq::protocol;  // NOLINT
  const auto size = frame_size(input);
  rmq::Bytes frame(input.begin(), input.end());
  CommandView view;
  const rmq::Result<> parsed = parse_frame(frame, view);
  if (!parsed) return;
  FUZZ_CHECK(size && *size == input.size());
  check_inside(view.remark, frame);
  for (const CommandView::Field& field : view.fields) {
    check_inside(field.key, frame);
    check_inside(field.value, frame);
  }
  check_inside(rmq::as_text(view.body), frame);
  check_header<SendMessageRequest>(view);
  check_header<PullMessageRequest>(view);
  check_header<RegisterBrokerRequest>(view);
  check_header<UpdateAndCreateTopicRequest>(view);
  check_round_trip(view);
}
