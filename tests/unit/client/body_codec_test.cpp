#include "client/body_codec.h"

#include <doctest/doctest.h>
#include <lz4frame.h>
#include <zstd.h>
#include <ostream>

#include <string>

#include "client/client_errc.h"
#include "protocol/message_record.h"

using namespace rmq;
using namespace rmq::client;

namespace {

constexpr std::size_t kMax = 1 << 20;
constexpr std::int32_t kCompressed = protocol::kSysFlagCompressed;

Bytes text_body(std::size_t size) {
  Bytes body(size);
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<std::byte>('a' + i % 7);
  return body;
}

Bytes lz4(ByteView body) {
  Bytes out(LZ4F_compressFrameBound(body.size(), nullptr));
  const std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), body.data(), body.size(), nullptr);
  REQUIRE(LZ4F_isError(size) == 0);
  out.resize(size);
  return out;
}

Bytes zstd(ByteView body) {
  Bytes out(ZSTD_compressBound(body.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 3);
  REQUIRE(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("bodies: every compression both ways, every truncation refused") {
  const Bytes body = text_body(200'000);
  const auto zlib = compress_zlib(body);
  REQUIRE(zlib.has_value());
  CHECK(zlib->size() < body.size());

  const struct {
    const char* name;
    Bytes packed;
    std::int32_t sys_flag;
  } cases[] = {{"zlib", *zlib, kCompressed | kCompressionZlib},
               {"zlib before 5.0", *zlib, kCompressed},
               {"lz4", lz4(body), kCompressed | kCompressionLz4},
               {"zstd", zstd(body), kCompressed | kCompressionZstd}};
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const auto unpacked = decompress_body(c.packed, c.sys_flag, kMax);
    REQUIRE(unpacked.has_value());
    CHECK(*unpacked == body);
    for (std::size_t size = 0; size < c.packed.size(); ++size) {
      const auto cut = decompress_body(ByteView(c.packed).first(size), c.sys_flag, kMax);
      REQUIRE_FALSE(cut.has_value());
      CHECK(cut.error().code == ClientErrc::BodyMalformed);
    }
  }
}

TEST_CASE("bodies: one that unpacks to more than allowed is refused") {
  const Bytes body = text_body(5'000'000);
  CHECK_FALSE(decompress_body(*compress_zlib(body), kCompressed, kMax).has_value());
  CHECK_FALSE(decompress_body(lz4(body), kCompressed | kCompressionLz4, kMax).has_value());
  CHECK_FALSE(decompress_body(zstd(body), kCompressed | kCompressionZstd, kMax).has_value());
}

TEST_CASE("bodies: what is not compressed, or in an unknown way, or garbage") {
  const Bytes body = text_body(10);
  CHECK(*decompress_body(body, 0, kMax) == body);
  // The kind alone does not say that it is compressed.
  CHECK(*decompress_body(body, kCompressionZstd, kMax) == body);
  CHECK_FALSE(decompress_body(body, kCompressed | 0x400, kMax).has_value());
  CHECK_FALSE(decompress_body(body, kCompressed, kMax).has_value());
  CHECK_FALSE(decompress_body(body, kCompressed | kCompressionLz4, kMax).has_value());
  CHECK_FALSE(decompress_body(body, kCompressed | kCompressionZstd, kMax).has_value());
  CHECK_FALSE(compress_zlib(body).has_value());  // would be longer
}
