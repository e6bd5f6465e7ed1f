#include "protocol/header_fields.h"

#include "base/text.h"
#include "protocol/offset.h"

namespace rmq::protocol {
namespace {

// As Integer.parseInt and Long.parseLong: digits with an optional sign, the whole text, in range.
template <class T>
bool parse_integer(std::string_view text, T& out) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool parse_field(std::string_view text, bool& out) {
  out = equals_ignoring_case(text, "true");
  return true;
}
bool parse_field(std::string_view text, std::int32_t& out) { return parse_integer(text, out); }
bool parse_field(std::string_view text, std::int64_t& out) { return parse_integer(text, out); }
bool parse_field(std::string_view text, BoundaryType& out) {
  out = equals_ignoring_case(text, "upper") ? BoundaryType::Upper : BoundaryType::Lower;
  return true;
}

namespace detail {

tl::unexpected<Error> field_missing(std::string_view name) {
  return fail(ProtocolErrc::FieldMissing, std::string(name));
}

tl::unexpected<Error> field_malformed(std::string_view name, std::string_view text) {
  constexpr std::size_t kShown = 40;
  return fail(ProtocolErrc::FieldMalformed,
              std::string(name) + " = \"" + std::string(text.substr(0, kShown)) + '"');
}

}  // namespace detail
}  // namespace rmq::protocol
