// The JSON header's parser against the tree parser: one dialect, two readers. What the header's
// parser takes, json::parse takes too, unless it stands in a place that the header's parser does
// not look into.
#include <string>

#include "base/json.h"
#include "protocol/header_json.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

// json::parse refuses some values that are merely skipped in a header: unknown words, bad escapes,
// numbers like "1-2". So only a header whose members are all known is compared.
bool all_known(const rmq::json::Value& header) {
  for (const rmq::json::Member& member : header.members()) {
    const std::string key = member.key_text();
    if (key != "code" && key != "opaque" && key != "flag" && key != "version" && key != "remark")
      return false;
  }
  return true;
}

}  // namespace

void fuzz_one_input(rmq::ByteView input) {
  using rmq::json::Value;
  rmq::Bytes header(input.begin(), input.end());
  rmq::protocol::CommandView view;
  const rmq::Result<> parsed = rmq::protocol::parse_json_header(header, view);
  const rmq::Result<Value> tree = rmq::json::parse(rmq::as_text(input));
  if (!parsed || !tree || !tree->is_object() || !all_known(*tree)) return;
  FUZZ_CHECK(view.code == static_cast<std::int32_t>(tree->int_or("code", 0)));
  FUZZ_CHECK(view.opaque == static_cast<std::int32_t>(tree->int_or("opaque", 0)));
  FUZZ_CHECK(view.fields.empty());
  const Value* remark = tree->find("remark");
  if (remark != nullptr && remark->is_string()) FUZZ_CHECK(view.remark == remark->string());
}
