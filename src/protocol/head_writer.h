// HeadWriter: writes a frame up to its body straight into the output: lengths, then the header in
// either form.
//   HeadWriter writer(head, out);  writer.field("offset", "5");  if (!writer.finish()) ...
// JSON goes out as fastjson writes it: keys in alphabetical order, no white space, ext values
// always strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "protocol/command.h"
#include "protocol/frame.h"

namespace rmq::protocol {

class HeadWriter {
 public:
  // `head` (or what its remark views) and `out` outlive the writer; nobody else touches `out`
  // before finish().
  HeadWriter(const ResponseHead& head, Bytes& out);
  HeadWriter(const Command& command, Bytes& out);

  void field(std::string_view key, std::string_view value);
  // False when head and body do not fit into a frame: `out` is then as it was.
  bool finish();

 private:
  void begin();
  // Room for `bytes` more at the end.
  char* grow(std::size_t bytes) {
    if (out_.size() - end_ < bytes) lengthen(bytes);
    char* const at = reinterpret_cast<char*>(out_.data() + end_);
    end_ += bytes;
    return at;
  }
  void lengthen(std::size_t bytes);
  void append(std::string_view text);
  void append_number(std::int64_t number);
  void append_json_string(std::string_view text);
  void append_escaped(std::string_view text);
  template <class T>
  void append_big_endian(T number);
  void finish_json();
  void finish_binary();

  Bytes& out_;
  const SerializeType type_;
  const std::int32_t code_;
  const std::int32_t flag_;
  const Language language_;
  const std::int32_t version_;
  const std::int32_t opaque_;
  const std::string_view remark_;
  const std::size_t body_bytes_;
  const std::size_t start_;    // of the frame in out_
  std::size_t end_;            // of what is written; out_ is longer until finish()
  std::size_t fields_at_ = 0;  // binary: where the length of the ext fields stands
  bool first_field_ = true;
  bool too_large_ = false;
};

}  // namespace rmq::protocol
