// RMQ_DEFINE_ERRC: an error enum and its std::error_category from one list, so that they cannot
// drift.
//
//   #define RMQ_STORE_ERRC(X) X(OffsetOutOfRange, "offset out of range") X(Truncated, "truncated")
//   RMQ_DEFINE_ERRC(rmq::storage, StoreErrc, RMQ_STORE_ERRC)     // at global scope, in a header
//
// Values start at 1 (0 is "no error"). fail(StoreErrc::Truncated, "...") and `code ==
// StoreErrc::Truncated` then work.
#pragma once

#include <string>
#include <system_error>

#define RMQ_ERRC_ENUMERATOR(name, text) name,
#define RMQ_ERRC_TEXT(name, text) text,

#define RMQ_DEFINE_ERRC(ns, Enum, LIST)                                            \
  namespace ns {                                                                   \
  enum class Enum { kNone, LIST(RMQ_ERRC_ENUMERATOR) };                            \
  class Enum##Category final : public std::error_category {                        \
   public:                                                                         \
    const char* name() const noexcept override { return #Enum; }                   \
    std::string message(int value) const override {                                \
      static constexpr const char* kTexts[] = {"no error", LIST(RMQ_ERRC_TEXT)};   \
      constexpr int kCount = static_cast<int>(sizeof(kTexts) / sizeof(kTexts[0])); \
      return value >= 0 && value < kCount ? kTexts[value] : "unknown error";       \
    }                                                                              \
  };                                                                               \
  inline std::error_code make_error_code(Enum value) {                             \
    static const Enum##Category kCategory;                                         \
    return {static_cast<int>(value), kCategory};                                   \
  }                                                                                \
  }                                                                                \
  template <>                                                                      \
  struct std::is_error_code_enum<ns::Enum> : std::true_type {};
