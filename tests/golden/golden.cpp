#include "golden/golden.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

namespace rmq::golden {

std::string read_text(std::string_view file) {
  const std::string path = std::string(RMQ_TEST_SOURCE_DIR) + "/golden/data/" + std::string(file);
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Bytes read(std::string_view file) {
  const std::string text = read_text(file);
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> read_lines(std::string_view file) {
  std::vector<std::string> lines;
  const std::string text = read_text(file);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    REQUIRE(end != std::string::npos);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

Columns split(std::string_view line) {
  const std::size_t tab = line.find('\t');
  REQUIRE(tab != std::string_view::npos);
  return {std::string(line.substr(0, tab)), std::string(line.substr(tab + 1))};
}

}  // namespace rmq::golden
