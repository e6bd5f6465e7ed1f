// The JSON form of a header (RemotingCommand.java), read without a tree and without an allocation
// but growth of CommandView::fields. Takes all that fastjson takes: any order of keys, unknown keys
// with any value, nulls, numbers as strings, numbers and booleans as ext values (they become text),
// a language by name or number, single quotes, unquoted keys, surplus commas, comments, trailing
// white space; of equal keys the last one counts. Writing is head_writer.h.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/command.h"

namespace rmq::protocol {

// More ext fields than any peer has reason to send; a header with more is refused.
inline constexpr std::size_t kFieldsMax = 4096;

// Fills all of `out` but type and body. Escaped strings are unescaped where they lie in `header`.
// Errors: ProtocolErrc::HeaderMalformed.
Result<> parse_json_header(MutableByteView header, CommandView& out);

}  // namespace rmq::protocol
