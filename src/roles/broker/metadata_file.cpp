#include "roles/broker/metadata_file.h"

#include <utility>

#include "base/file_system.h"
#include "base/log.h"

namespace rmq::roles::broker {

MetadataFile::MetadataFile(FileSystem& files, std::string path)
    : files_(files), path_(std::move(path)) {}

// False when there is no such file.
Result<bool> MetadataFile::load_one(const std::string& path, const Decode& decode) const {
  RMQ_TRY(const bool exists, files_.exists(path));
  if (!exists) return false;
  RMQ_TRY(const std::string text, read_text_file(files_, path));
  RMQ_CHECK(decode(text));
  return true;
}

Result<bool> MetadataFile::load(const Decode& decode) {
  Result<bool> loaded = load_one(path_, decode);
  if (loaded && *loaded) return true;
  const std::string backup = path_ + ".bak";
  const Result<bool> from_backup = load_one(backup, decode);
  if (from_backup && *from_backup) {
    const bool said = std::exchange(backup_is_better_, true);
    if (!said) {
      log::warn("broker", "file cannot be used, its backup is", kv("file", path_),
                kv("why", loaded ? "it does not exist" : loaded.error().message()));
    }
    return true;
  }
  if (!loaded) return loaded;
  return from_backup;
}

Result<> MetadataFile::save(std::string_view text) {
  RMQ_CHECK(files_.make_directories(parent_directory(path_)));
  // A file that could not be read must not replace the backup that could.
  const Backup backup = backup_is_better_ ? Backup::None : Backup::Keep;
  RMQ_CHECK(write_file_atomically(files_, path_, as_bytes(text), backup));
  backup_is_better_ = false;
  return {};
}

}  // namespace rmq::roles::broker
