// What Java computes or writes in a way of its own and RocketMQ exposes: String.hashCode and
// .properties text. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rmq {

// String.hashCode() of the text: over its UTF-16 units. With the hash of a text that stands before
// it, the hash of both as one.
std::int32_t java_hash(std::string_view utf8, std::int32_t before = 0);

using JavaProperties = std::vector<std::pair<std::string, std::string>>;

// The pairs of a java.util.Properties text in UTF-8, in order; of equal keys the last one counts.
// Knows comments,
// '=' ':' and blanks as separators, continued lines and escapes. Never fails: a malformed \uXXXX
// stands for itself (Java throws).
JavaProperties parse_properties(std::string_view text);

// "key=value\n" for each pair, escaped so that java.util.Properties reads them back; ASCII only.
std::string write_properties(const JavaProperties& properties);

}  // namespace rmq
