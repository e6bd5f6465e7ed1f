#include "protocol/tag_filter.h"

#include <algorithm>

#include "base/java_compat.h"
#include "protocol/protocol_errc.h"

namespace rmq::protocol {
namespace {

// String.trim: everything up to and including the space counts as blank.
std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::int32_t tag_hash(std::string_view tag) { return java_hash(tag); }

Result<TagFilter> TagFilter::parse(std::string_view expression) {
  constexpr std::string_view kOr = "||";
  TagFilter filter;
  if (expression.empty() || expression == "*") return filter;
  filter.matches_all_ = false;
  bool only_separators = true;
  for (std::string_view rest = expression;;) {
    const std::size_t end = rest.find(kOr);
    const std::string_view part = rest.substr(0, end);
    if (!part.empty()) only_separators = false;
    const std::string_view tag = trim(part);
    if (!tag.empty() &&
        std::find(filter.tags_.begin(), filter.tags_.end(), tag) == filter.tags_.end()) {
      filter.tags_.emplace_back(tag);
      filter.hashes_.push_back(tag_hash(tag));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + kOr.size());
  }
  if (only_separators) {
    return fail(ProtocolErrc::FieldMalformed, "tag expression: " + std::string(expression));
  }
  return filter;
}

TagFilter TagFilter::nothing() {
  TagFilter filter;
  filter.matches_all_ = false;
  return filter;
}

bool TagFilter::matches(std::int32_t hash) const {
  return matches_all_ || std::find(hashes_.begin(), hashes_.end(), hash) != hashes_.end();
}

}  // namespace rmq::protocol
