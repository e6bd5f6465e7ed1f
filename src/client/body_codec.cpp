#include "client/body_codec.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "client/client_errc.h"
#include "protocol/message_record.h"

namespace rmq::client {
namespace {

constexpr int kZlibLevel = 5;
constexpr std::size_t kStepBytes = std::size_t{64} * 1024;

// Grows while a decompressor fills it, up to a limit.
class GrowingOutput {
 public:
  explicit GrowingOutput(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Room for more output, or nothing when the limit is reached.
  MutableByteView room() {
    if (used_ == bytes_.size()) {
      bytes_.resize(std::min(bytes_max_, std::max(kStepBytes, 2 * bytes_.size())));
    }
    return MutableByteView(bytes_).subspan(used_);
  }
  void add(std::size_t bytes) { used_ += bytes; }
  Bytes take() {
    bytes_.resize(used_);
    return std::move(bytes_);
  }

 private:
  const std::size_t bytes_max_;
  Bytes bytes_;
  std::size_t used_ = 0;
};

tl::unexpected<Error> malformed(const char* kind, const char* why) {
  return fail(ClientErrc::BodyMalformed, std::string(kind) + ": " + why);
}

Result<Bytes> inflate_zlib(ByteView body, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return malformed("zlib", "cannot start");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, &inflateEnd);
  // zlib's older interface wants a mutable pointer, which it does not write to.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  GrowingOutput out(bytes_max);
  for (;;) {
    const MutableByteView room = out.room();
    if (room.empty()) return malformed("zlib", "longer than allowed");
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.add(room.size() - stream.avail_out);
    if (status == Z_STREAM_END) return out.take();
    if (status != Z_OK) return malformed("zlib", stream.msg == nullptr ? "cut short" : stream.msg);
  }
}

Result<Bytes> decompress_lz4(ByteView body, std::size_t bytes_max) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
    return malformed("lz4", "cannot start");
  }
  const std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> guard(
      context, &LZ4F_freeDecompressionContext);
  GrowingOutput out(bytes_max);
  for (;;) {
    const MutableByteView room = out.room();
    if (room.empty()) return malformed("lz4", "longer than allowed");
    std::size_t produced = room.size();
    std::size_t consumed = body.size();
    const std::size_t status =
        LZ4F_decompress(context, room.data(), &produced, body.data(), &consumed, nullptr);
    if (LZ4F_isError(status) != 0) return malformed("lz4", LZ4F_getErrorName(status));
    out.add(produced);
    body = body.subspan(consumed);
    if (status == 0) return out.take();
    if (produced == 0 && consumed == 0) return malformed("lz4", "cut short");
  }
}

Result<Bytes> decompress_zstd(ByteView body, std::size_t bytes_max) {
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                          &ZSTD_freeDStream);
  if (stream == nullptr) return malformed("zstd", "cannot start");
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  GrowingOutput out(bytes_max);
  for (;;) {
    const MutableByteView room = out.room();
    if (room.empty()) return malformed("zstd", "longer than allowed");
    ZSTD_outBuffer step{room.data(), room.size(), 0};
    const std::size_t consumed_before = in.pos;
    const std::size_t status = ZSTD_decompressStream(stream.get(), &step, &in);
    if (ZSTD_isError(status) != 0) return malformed("zstd", ZSTD_getErrorName(status));
    out.add(step.pos);
    if (status == 0) return out.take();
    if (step.pos == 0 && in.pos == consumed_before) return malformed("zstd", "cut short");
  }
}

}  // namespace

std::optional<Bytes> compress_zlib(ByteView body) {
  uLongf size = compressBound(static_cast<uLong>(body.size()));
  Bytes out(size);
  const int status = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                               reinterpret_cast<const Bytef*>(body.data()),
                               static_cast<uLong>(body.size()), kZlibLevel);
  if (status != Z_OK || size >= body.size()) return std::nullopt;
  out.resize(size);
  return out;
}

Result<Bytes> decompress_body(ByteView body, std::int32_t sys_flag, std::size_t bytes_max) {
  if ((sys_flag & protocol::kSysFlagCompressed) == 0) return Bytes(body.begin(), body.end());
  switch (sys_flag & protocol::kSysFlagCompressionMask) {
    case 0:
    case kCompressionZlib:
      return inflate_zlib(body, bytes_max);
    case kCompressionLz4:
      return decompress_lz4(body, bytes_max);
    case kCompressionZstd:
      return decompress_zstd(body, bytes_max);
    default:
      return malformed("compression", "a kind that is not known");
  }
}

}  // namespace rmq::client
