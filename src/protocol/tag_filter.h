// TagFilter: which tags a subscription wants, as the consume queue can judge it: by the hash of the
// tag. Format (RocketMQ FilterAPI.java): "" or "*" is everything, else tags apart by "||", spaces
// around them ignored. The hash is Java's String.hashCode, so what passes may be a collision;
// consumers compare the text again. Threads: immutable after parse().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rmq::protocol {

// What the consume queue holds for a message: the hash of its tag, 0 when it has none.
std::int32_t tag_hash(std::string_view tag);

class TagFilter {
 public:
  // Everything.
  TagFilter() = default;
  static TagFilter nothing();
  // Errors: ProtocolErrc::FieldMalformed for an expression of nothing but "||", as in Java.
  static Result<TagFilter> parse(std::string_view expression);

  bool matches(std::int32_t hash) const;
  bool matches_all() const { return matches_all_; }
  // Wanted tags in order of appearance, once each. Both empty when matches_all(), but also for an
  // expression of blanks: it matches nothing.
  const std::vector<std::string>& tags() const { return tags_; }
  const std::vector<std::int32_t>& hashes() const {
    return hashes_;
  }  // hashes()[i] is of tags()[i]

 private:
  bool matches_all_ = true;
  std::vector<std::string> tags_;
  std::vector<std::int32_t> hashes_;
};

}  // namespace rmq::protocol
