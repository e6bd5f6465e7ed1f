#include "storage/offline/diverged.h"

#include <algorithm>

#include "protocol/message_record.h"
#include "storage/layout.h"
#include "storage/store_errc.h"

namespace rmq::storage::offline {
namespace {

constexpr std::size_t kPositionDigits = 20;
constexpr std::size_t kTimeDigits = 17;
constexpr std::size_t kNameLength = 2 * kPositionDigits + kTimeDigits + 2;
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::string_view kSent = ".sent";

// <from>-<to>-<time>, and perhaps a number, and perhaps .sent.
std::optional<DivergedFile> parse(const std::string& directory, const std::string& name) {
  if (name.size() < kNameLength || name.ends_with(".part")) return std::nullopt;
  const auto from = parse_position_file_name(directory, name.substr(0, kPositionDigits));
  const auto to =
      parse_position_file_name(directory, name.substr(kPositionDigits + 1, kPositionDigits));
  if (!from || !to || *to < *from) return std::nullopt;
  return DivergedFile{directory + "/" + name, PhysicalOffset{*from}, PhysicalOffset{*to},
                      name.substr(2 * kPositionDigits + 2, kTimeDigits), name.ends_with(kSent)};
}

tl::unexpected<Error> malformed(const DivergedFile& file, std::int64_t at, const std::string& why) {
  return fail(StoreErrc::RecordMalformed, file.path + " at " + std::to_string(at) + ", " +
                                              std::to_string(file.from.value + at) +
                                              " in the log: " + why);
}

// A piece of the file, read again where it lacks something.
class Window {
 public:
  explicit Window(File& file) : file_(file) {}

  // `wanted` bytes from `at` on, or as many as there are.
  Result<ByteView> at(std::int64_t at, std::size_t wanted) {
    const auto skipped = static_cast<std::size_t>(at - from_);
    if (at < from_ || skipped + wanted > size_) {
      buffer_.resize(std::max(wanted, kReadBytes));
      RMQ_TRY(size_, file_.pread(buffer_, at));
      from_ = at;
      return ByteView(buffer_).first(std::min(size_, wanted));
    }
    return ByteView(buffer_).subspan(skipped, wanted);
  }

 private:
  File& file_;
  Bytes buffer_;
  std::int64_t from_ = 0;
  std::size_t size_ = 0;
};

}  // namespace

Result<std::vector<DivergedFile>> list_diverged(FileSystem& files, const StorePlace& place) {
  const std::string directory = Layout(place.config).diverged();
  RMQ_TRY(const std::vector<std::string> names, files.list(directory));
  std::vector<DivergedFile> found;
  for (const std::string& name : names) {
    if (auto file = parse(directory, name)) found.push_back(std::move(*file));
  }
  std::ranges::sort(found, {}, [](const DivergedFile& file) {
    return std::tuple(file.from, file.time, file.path);
  });
  return found;
}

Result<> read_diverged(FileSystem& files, const DivergedFile& file,
                       const std::function<Result<>(ByteView)>& visit) {
  RMQ_TRY(const std::unique_ptr<File> opened, files.open(file.path, OpenMode::Read));
  RMQ_TRY(const std::int64_t bytes, opened->size());
  if (bytes != file.to - file.from) {
    return fail(StoreErrc::WrongFileSize, file.path + ": " + std::to_string(bytes) +
                                              " bytes, its name says " +
                                              std::to_string(file.to - file.from));
  }
  Window window(*opened);
  for (std::int64_t at = 0; at < bytes;) {
    RMQ_TRY(const ByteView head, window.at(at, protocol::kBlankRecordBytes));
    if (head.size() < protocol::kBlankRecordBytes) return malformed(file, at, "it ends there");
    const auto size = load_big_endian<std::int32_t>(head.data() + protocol::kRecordSizeAt);
    const auto magic = load_big_endian<std::uint32_t>(head.data() + protocol::kRecordMagicAt);
    if (size < static_cast<std::int32_t>(protocol::kBlankRecordBytes) || size > bytes - at) {
      return malformed(file, at, "no record begins there");
    }
    if (magic != protocol::kMagicBlank) {
      RMQ_TRY(const ByteView record, window.at(at, static_cast<std::size_t>(size)));
      const auto scan = protocol::scan_record(record, PhysicalOffset{file.from.value + at},
                                              protocol::CheckBody::Yes);
      if (!scan) return malformed(file, at, scan.error().message());
      RMQ_CHECK(visit(record));
    }
    at += size;
  }
  return {};
}

Result<> note_sent(FileSystem& files, const DivergedFile& file) {
  RMQ_CHECK(files.rename(file.path, file.path + std::string(kSent)));
  return files.sync_directory(parent_directory(file.path));
}

}  // namespace rmq::storage::offline
