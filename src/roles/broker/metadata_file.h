// MetadataFile: one of Java's config/*.json, with `<name>.bak`, the version before it.
// A save first makes the present file the backup, then replaces it atomically: at every moment of a
// crash one of the two is whole. Reading prefers the file itself. Threads: one at a time; callers
// serialise.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rmq {
class FileSystem;
}

namespace rmq::roles::broker {

class MetadataFile {
 public:
  // `files` outlives this object; `path` is the file's, in a directory that save() makes when it is
  // missing.
  MetadataFile(FileSystem& files, std::string path);

  // Gives the text of the file to `decode`, or that of the backup when the file is missing or
  // refused (an empty file is for `decode` to refuse). False: neither exists. Errors: one exists
  // and none of the two can be decoded: then something is lost, and the caller must not go on as if
  // it were new.
  using Decode = std::function<Result<>(std::string_view)>;
  Result<bool> load(const Decode& decode);

  // Returns when the text is on disk. Errors: errno; the old file or its backup is intact.
  Result<> save(std::string_view text);

  const std::string& path() const { return path_; }
  // load() took the backup: the last change before is not in it.
  bool from_backup() const { return backup_is_better_; }

 private:
  Result<bool> load_one(const std::string& path, const Decode& decode) const;

  FileSystem& files_;
  const std::string path_;
  bool backup_is_better_ = false;  // the file was refused, the backup was not
};

}  // namespace rmq::roles::broker
