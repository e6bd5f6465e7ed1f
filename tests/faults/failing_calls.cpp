// A library to LD_PRELOAD into a server: makes chosen system calls on chosen paths fail, as a disk
// that is full or broken does. Tests steer it while the server runs.
//
// RMQ_FAILING_CALLS_RULES names a file of rules, one a line, that is read again whenever it was
// replaced (by rename, so that nobody reads half of it); a missing file means no rules:
//   CALL  PART-OF-PATH  ERRNO-NUMBER  COUNT
// CALL: create (open with O_CREAT of what does not exist), open (for writing), write, read, sync
// (files), sync_directory, allocate, truncate, rename, remove, mkdir. COUNT: so many times from now
// on; -1: always. Which path: that of the open file as the kernel names it, of rename the new name.
// The first rule that fits and is not used up counts.
// RMQ_FAILING_CALLS_HITS names a FIFO that gets "CALL PATH" of each call that was made to fail.
// Reads through mappings cannot be made to fail here.
// Threads: any. Only C, no allocation by the rules once read, so that it may run anywhere.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Rule {
  std::string call;
  std::string part;
  int error = 0;
  long count = 0;
};

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

class Rules {
 public:
  // The errno that this call shall fail with; 0: none.
  int judge(std::string_view call, const std::string& path) {
    const std::lock_guard lock(mutex_);
    read_if_replaced();
    for (Rule& rule : rules_) {
      if (rule.count == 0 || rule.call != call || path.find(rule.part) == std::string::npos) {
        continue;
      }
      if (rule.count > 0) --rule.count;
      report(std::string(call) + " " + path + "\n");
      return rule.error;
    }
    return 0;
  }

 private:
  void read_if_replaced() {
    static const char* const name = std::getenv("RMQ_FAILING_CALLS_RULES");
    struct stat now {};
    if (name == nullptr || ::stat(name, &now) != 0) return rules_.clear();
    if (now.st_ino == read_.st_ino && now.st_mtim.tv_sec == read_.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == read_.st_mtim.tv_nsec) {
      return;
    }
    read_ = now;
    rules_.clear();
    std::FILE* file = std::fopen(name, "re");
    if (file == nullptr) return;
    std::array<char, 32> call{};
    std::array<char, 256> part{};
    Rule rule;
    while (std::fscanf(file, "%31s %255s %d %ld", call.data(), part.data(), &rule.error,
                       &rule.count) == 4) {
      rule.call = call.data();
      rule.part = part.data();
      rules_.push_back(rule);
    }
    std::fclose(file);
  }

  void report(const std::string& line) {
    static const char* const name = std::getenv("RMQ_FAILING_CALLS_HITS");
    if (hits_ < 0 && name != nullptr) {
      static const auto open = real<int(const char*, int, ...)>("open");
      hits_ = open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    }
    if (hits_ < 0) return;
    [[maybe_unused]] const ssize_t put = ::write(hits_, line.data(), line.size());
  }

  std::mutex mutex_;
  struct stat read_ {};
  std::vector<Rule> rules_;
  int hits_ = -1;
};

Rules& rules() {
  static Rules* const the_rules = new Rules;  // threads may outlive main()
  return *the_rules;
}

// True when the call must fail; errno is set.
bool fails(std::string_view call, const std::string& path) {
  const int before = errno;
  const int error = rules().judge(call, path);
  errno = error != 0 ? error : before;
  return error != 0;
}

bool fails(std::string_view call, int fd) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size() - 1);
  return size > 0 && path[0] == '/' && fails(call, std::string(path.data()));
}

int open_or_fail(const char* path, int flags, mode_t mode) {
  if ((flags & O_CREAT) != 0 && ::access(path, F_OK) != 0 && fails("create", std::string(path))) {
    return -1;
  }
  if ((flags & O_ACCMODE) != O_RDONLY && fails("open", std::string(path))) return -1;
  static const auto call = real<int(const char*, int, ...)>("open");
  return call(path, flags, mode);
}

mode_t mode_argument(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

bool is_directory(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_or_fail(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_or_fail(path, flags, mode);
}

// The call itself, unless a rule says otherwise.
#define RMQ_CALL_UNLESS_RULED(kind, name, fd, ...)        \
  if (fails(kind, fd)) return -1;                         \
  static const auto call = real<decltype(::name)>(#name); \
  return call(fd, ##__VA_ARGS__)

ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {
  RMQ_CALL_UNLESS_RULED("write", pwrite, fd, from, size, at);
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  RMQ_CALL_UNLESS_RULED("write", pwritev, fd, parts, count, at);
}
ssize_t pread(int fd, void* into, size_t size, off_t at) {
  RMQ_CALL_UNLESS_RULED("read", pread, fd, into, size, at);
}
ssize_t preadv2(int fd, const iovec* parts, int count, off_t at, int flags) {
  RMQ_CALL_UNLESS_RULED("read", preadv2, fd, parts, count, at, flags);
}
int fdatasync(int fd) { RMQ_CALL_UNLESS_RULED("sync", fdatasync, fd); }
int fsync(int fd) {
  RMQ_CALL_UNLESS_RULED(is_directory(fd) ? "sync_directory" : "sync", fsync, fd);
}
int fallocate(int fd, int mode, off_t at, off_t size) {
  RMQ_CALL_UNLESS_RULED("allocate", fallocate, fd, mode, at, size);
}
int ftruncate(int fd, off_t size) noexcept {
  RMQ_CALL_UNLESS_RULED("truncate", ftruncate, fd, size);
}

int rename(const char* from, const char* to) noexcept {
  if (fails("rename", std::string(to))) return -1;
  static const auto call = real<int(const char*, const char*)>("rename");
  return call(from, to);
}
int unlink(const char* path) noexcept {
  if (fails("remove", std::string(path))) return -1;
  static const auto call = real<int(const char*)>("unlink");
  return call(path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  if (fails("mkdir", std::string(path))) return -1;
  static const auto call = real<int(const char*, mode_t)>("mkdir");
  return call(path, mode);
}

}  // extern "C"
