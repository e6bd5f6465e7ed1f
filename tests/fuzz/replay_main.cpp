// Runs a fuzz target over each file of a directory: as it is, cut at every byte, and with each byte
// changed in a few ways. usage: <target>_replay <directory>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/fuzz_target.h"

namespace {

// Beyond it a file is run as it is only: the work grows with the square of the size.
constexpr std::size_t kMutatedBytesMax = 2048;

// An exact copy on the heap, so that a sanitizer sees a read past the end.
void run(rmq::ByteView input) {
  const rmq::Bytes copy(input.begin(), input.end());
  fuzz_one_input(copy);
}

void run_mutations(rmq::Bytes input) {
  constexpr std::array<unsigned, 6> kChanges{0x01, 0x80, 0xFF, '"' ^ 'a', '\\' ^ '"', '{' ^ ','};
  for (std::size_t size = 0; size < input.size(); ++size) run(rmq::ByteView(input).first(size));
  for (std::byte& byte : input) {
    const std::byte original = byte;
    for (const unsigned change : kChanges) {
      byte = original ^ static_cast<std::byte>(change);
      run(input);
    }
    byte = original;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s <corpus directory>\n", argv[0]);
    return 2;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const rmq::ByteView view = rmq::as_bytes(text);
    std::printf("%s\n", entry.path().filename().c_str());
    std::fflush(stdout);
    run(view);
    if (view.size() <= kMutatedBytesMax) run_mutations(rmq::Bytes(view.begin(), view.end()));
    ++files;
  }
  if (files == 0) {
    std::fprintf(stderr, "no files in %s\n", argv[1]);
    return 1;
  }
  return 0;
}
