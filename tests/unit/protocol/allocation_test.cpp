// The path of sends and pulls makes no allocation: counted by an operator new of this executable's
// own.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "protocol/frame.h"
#include "protocol/header_fields.h"
#include "protocol/pull.h"
#include "protocol/send.h"

namespace {
std::atomic<long> allocations{0};
}  // namespace

// Not inlined: GCC otherwise takes the malloc inside for a mismatch with the delete outside.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace rmq;            // NOLINT
using namespace rmq::protocol;  // NOLINT

namespace {

Bytes send_frame(SerializeType type) {
  SendMessageRequest header{
      .producer_group = "please_rename_unique_group_name",
      .topic = "TopicTest",
      .default_topic = "TBW102",
      .queue_id = 3,
      .born_timestamp = 1700000000123,
      .properties =
          "KEYS\x01OrderID188\x02UNIQ_KEY\x01"
          "7F000001000018B4AAC24A1A2C3D0000\x02WAIT\x01true\x02TAGS\x01TagA\x02"};
  header.broker_name = "broker-a";
  Command command = make_request(RequestCode::SendMessageV2, header, Bytes(128));
  command.type = type;
  Bytes frame;
  encode_frame(command, frame);
  return frame;
}

// Runs `work` once to warm up, then says how many allocations it makes.
template <class F>
long count_allocations(F&& work) {
  work();
  const long before = allocations.load();
  work();
  return allocations.load() - before;
}

}  // namespace

TEST_CASE("a send is parsed and answered without an allocation") {
  for (const SerializeType type : {SerializeType::Json, SerializeType::Binary}) {
    const Bytes original = send_frame(type);
    Bytes frame = original;
    CommandView view;
    Bytes out;
    bool good = true;
    CHECK(count_allocations([&] {
            std::copy(original.begin(), original.end(), frame.begin());
            good = good && parse_frame(frame, view);
            const Result<SendMessageRequest> request = decode_fields<SendMessageRequest>(view);
            good = good && request && request->queue_id == 3 && request->properties.size() == 78;
            const SendMessageResponse fields{.msg_id = "7F00000100002A9F0000000000000000",
                                             .queue_id = 3,
                                             .queue_offset = QueueOffset{1234567},
                                             .transaction_id = "7F000001000018B4AAC24A1A2C3D0000"};
            out.clear();
            good = good &&
                   encode_response_head({.type = view.type, .opaque = view.opaque}, fields, out);
          }) == 0);
    CHECK(good);
    CHECK(!out.empty());
  }
}

TEST_CASE("a pull is parsed and answered without an allocation") {
  const PullMessageRequest header{.consumer_group = "please_rename_unique_group_name_4",
                                  .topic = "TopicTest",
                                  .queue_id = 3,
                                  .queue_offset = QueueOffset{1234567},
                                  .max_msg_nums = 32,
                                  .sys_flag = 3,
                                  .suspend_timeout_millis = 15000,
                                  .sub_version = 1700000000123,
                                  .expression_type = "TAG"};
  Bytes original;
  encode_frame(make_request(RequestCode::PullMessage, header), original);
  Bytes frame = original;
  CommandView view;
  Bytes out;
  bool good = true;
  CHECK(count_allocations([&] {
          std::copy(original.begin(), original.end(), frame.begin());
          good = good && parse_frame(frame, view);
          const Result<PullMessageRequest> request = decode_fields<PullMessageRequest>(view);
          good = good && request && request->queue_offset == QueueOffset{1234567};
          out.clear();
          good = good && encode_response_head(
                             {.opaque = view.opaque, .remark = "FOUND", .body_bytes = 4096},
                             PullMessageResponse{}, out);
        }) == 0);
  CHECK(good);
}

TEST_CASE("the counter counts") {
  CHECK(count_allocations([] { ::operator delete(::operator new(4)); }) == 1);
}
