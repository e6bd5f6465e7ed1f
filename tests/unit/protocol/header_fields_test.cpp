#include "protocol/header_fields.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <vector>

#include "protocol/client.h"
#include "protocol/group.h"
#include "protocol/kv.h"
#include "protocol/offset.h"
#include "protocol/pull.h"
#include "protocol/route.h"
#include "protocol/send.h"
#include "protocol/topic.h"
#include "protocol/view.h"

using namespace rmq;            // NOLINT
using namespace rmq::protocol;  // NOLINT

namespace {

using Fields = std::vector<CommandView::Field>;

CommandView command(RequestCode code, Fields fields) {
  CommandView view;
  view.code = static_cast<std::int32_t>(code);
  view.fields = std::move(fields);
  return view;
}

template <class T>
std::vector<std::pair<std::string, std::string>> encoded(const T& header, std::int32_t code = 0) {
  std::vector<std::pair<std::string, std::string>> fields;
  append_fields(header, code, fields);
  return fields;
}

const Fields kSendV1{{"producerGroup", "p"},
                     {"topic", "T"},
                     {"defaultTopic", "TBW102"},
                     {"defaultTopicQueueNums", "8"},
                     {"queueId", "-1"},
                     {"sysFlag", "5"},
                     {"bornTimestamp", "1700000000123"},
                     {"flag", "-7"},
                     {"properties", "A\1B\2"},
                     {"reconsumeTimes", "2"},
                     {"unitMode", "true"},
                     {"batch", "TRUE"},
                     {"maxReconsumeTimes", "16"},
                     {"bname", "broker-a"}};

void check_send(const Result<SendMessageRequest>& request) {
  REQUIRE(request);
  CHECK(request->producer_group == "p");
  CHECK(request->topic == "T");
  CHECK(request->default_topic == "TBW102");
  CHECK(request->default_topic_queue_nums == 8);
  CHECK(request->queue_id == -1);
  CHECK(request->sys_flag == 5);
  CHECK(request->born_timestamp == 1700000000123);
  CHECK(request->flag == -7);
  CHECK(request->properties == "A\1B\2");
  CHECK(request->reconsume_times == 2);
  CHECK(request->unit_mode);
  CHECK(request->batch);
  CHECK(request->max_reconsume_times == 16);
  CHECK(request->broker_name == "broker-a");
}

}  // namespace

TEST_CASE("SEND_MESSAGE has long names, SEND_MESSAGE_V2 and SEND_BATCH_MESSAGE one letter each") {
  for (const RequestCode code : {RequestCode::SendMessage, RequestCode::SendReplyMessage}) {
    check_send(decode_fields<SendMessageRequest>(command(code, kSendV1)));
  }
  const std::string letters = "abcdefghijkmln";  // in the order of kSendV1
  Fields short_names = kSendV1;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    short_names[i].key = std::string_view(letters).substr(i, 1);
  }
  for (const RequestCode code : {RequestCode::SendMessageV2, RequestCode::SendBatchMessage,
                                 RequestCode::SendReplyMessageV2}) {
    check_send(decode_fields<SendMessageRequest>(command(code, short_names)));
    check_send(decode_fields<SendMessageRequest>(
        command(code, Fields(short_names.rbegin(), short_names.rend()))));
  }
  const auto mixed_up =
      decode_fields<SendMessageRequest>(command(RequestCode::SendMessage, short_names));
  REQUIRE(!mixed_up);
  CHECK(mixed_up.error().code == ProtocolErrc::FieldMissing);
}

TEST_CASE("a send without its optional fields has their defaults") {
  const auto request = decode_fields<SendMessageRequest>(command(
      RequestCode::SendMessageV2, {{"b", "T"}, {"e", "0"}, {"f", "0"}, {"g", "1"}, {"h", "0"}}));
  REQUIRE(request);
  CHECK(request->default_topic_queue_nums == 4);
  CHECK(request->properties.empty());
  CHECK(!request->batch);
  CHECK(request->max_reconsume_times == std::nullopt);
}

TEST_CASE("a missing or malformed field is named") {
  const auto decode = [](Fields fields) {
    return decode_fields<GetMaxOffsetRequest>(
        command(RequestCode::GetMaxOffset, std::move(fields)));
  };
  CHECK(decode({{"topic", "T"}, {"queueId", "3"}}));
  const auto missing = decode({{"topic", "T"}});
  REQUIRE(!missing);
  CHECK(missing.error().code == ProtocolErrc::FieldMissing);
  CHECK(missing.error().detail == "queueId");
  for (const char* number : {"", "x", "1x", " 1", "1 ", "--1", "+-1", "+", "-", "1.0", "0x1",
                             "2147483648", "-2147483649", "99999999999999999999"}) {
    CAPTURE(number);
    const auto malformed = decode({{"topic", "T"}, {"queueId", number}});
    REQUIRE(!malformed);
    CHECK(malformed.error().code == ProtocolErrc::FieldMalformed);
    CHECK(malformed.error().detail == "queueId = \"" + std::string(number) + '"');
  }
  CHECK(decode({{"topic", "T"}, {"queueId", "+2147483647"}})->queue_id == 2147483647);
  CHECK(decode({{"topic", "T"}, {"queueId", "-2147483648"}})->queue_id == -2147483647 - 1);
  const std::string long_text(10'000, '9');
  CHECK(decode({{"topic", "T"}, {"queueId", long_text}}).error().detail.size() < 100);
}

TEST_CASE("int64 fields keep all their bits") {
  const auto decode = [](std::string_view offset) {
    return decode_fields<ViewMessageByIdRequest>(
        command(RequestCode::ViewMessageById, {{"offset", offset}}));
  };
  CHECK(decode("9223372036854775807")->offset == PhysicalOffset{9223372036854775807});
  CHECK(decode("-1")->offset == PhysicalOffset{-1});
  CHECK(!decode("9223372036854775808"));
}

TEST_CASE("booleans as Boolean.parseBoolean: anything but true is false") {
  const auto committed = [](std::string_view text) {
    return decode_fields<GetMaxOffsetRequest>(
               command(RequestCode::GetMaxOffset,
                       {{"topic", "T"}, {"queueId", "3"}, {"committed", text}}))
        ->committed;
  };
  CHECK(committed("true"));
  CHECK(committed("True"));
  CHECK(!committed("false"));
  CHECK(!committed(""));
  CHECK(!committed("1"));
  CHECK(!committed("yes"));
  CHECK(decode_fields<GetMaxOffsetRequest>(
            command(RequestCode::GetMaxOffset, {{"topic", "T"}, {"queueId", "3"}}))
            ->committed);
}

TEST_CASE("unknown fields are ignored, of equal ones the last counts") {
  const auto request =
      decode_fields<GetMinOffsetRequest>(command(RequestCode::GetMinOffset, {{"AccessKey", ""},
                                                                             {"queueId", "1"},
                                                                             {"bname", "b"},
                                                                             {"topic", "T"},
                                                                             {"queueId", "x"},
                                                                             {"topic", "U"},
                                                                             {"queueId", "2"}}));
  REQUIRE(request);
  CHECK(request->queue_id == 2);
  CHECK(request->topic == "U");
}

TEST_CASE("boundary types") {
  const auto boundary = [](Fields more) {
    Fields fields{{"topic", "T"}, {"queueId", "0"}, {"timestamp", "1"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return decode_fields<SearchOffsetByTimestampRequest>(
               command(RequestCode::SearchOffsetByTimestamp, fields))
        ->boundary_type;
  };
  CHECK(boundary({}) == BoundaryType::Lower);
  CHECK(boundary({{"boundaryType", "LOWER"}}) == BoundaryType::Lower);
  CHECK(boundary({{"boundaryType", "upper"}}) == BoundaryType::Upper);
  CHECK(boundary({{"boundaryType", "UPPER"}}) == BoundaryType::Upper);
  CHECK(boundary({{"boundaryType", "?"}}) == BoundaryType::Lower);
}

TEST_CASE("a header without fields decodes from anything") {
  CHECK(decode_fields<HeartBeatRequest>(command(RequestCode::HeartBeat, {})));
  CHECK(decode_fields<HeartBeatRequest>(command(RequestCode::HeartBeat, {{"a", "b"}})));
  CHECK(encoded(HeartBeatRequest{}).empty());
}

TEST_CASE("encoding leaves out what is absent") {
  CHECK(
      encoded(UnregisterClientRequest{.client_id = "c", .consumer_group = "g"}) ==
      std::vector<std::pair<std::string, std::string>>{{"clientID", "c"}, {"consumerGroup", "g"}});
  CHECK(encoded(GetKvConfigResponse{}).empty());
  CHECK(encoded(GetKvConfigResponse{.value = ""}).size() == 1);
  CHECK(encoded(PullMessageResponse{}).size() == 4);
  CHECK(encoded(InvokeBrokerToResetOffsetRequest{
            .topic = "T", .group = "g", .offset = QueueOffset{5}}) ==
        std::vector<std::pair<std::string, std::string>>{{"topic", "T"},
                                                         {"group", "g"},
                                                         {"queueId", "-1"},
                                                         {"offset", "5"},
                                                         {"timestamp", "0"},
                                                         {"isForce", "false"}});
}

TEST_CASE("make_request: the code picks the names") {
  const SendMessageRequest header{.topic = "T", .queue_id = 1, .batch = true};
  const Command v1 = make_request(RequestCode::SendMessage, header);
  const Command v2 = make_request(RequestCode::SendMessageV2, header, Bytes(3));
  CHECK(v1.view().find("topic") == "T");
  CHECK(v1.view().find("batch") == "true");
  CHECK(v2.code == 310);
  CHECK(v2.view().find("b") == "T");
  CHECK(v2.view().find("m") == "true");
  CHECK(v2.view().find("topic") == std::nullopt);
  CHECK(v2.body.size() == 3);
  CHECK(decode_fields<SendMessageRequest>(v2.view())->queue_id == 1);
}

namespace {

// Encodes a default header, decodes it, and encodes again: every field that is written is read.
template <class... Headers>
void check_round_trips() {
  const auto check = [](auto header) {
    using Header = decltype(header);
    const Command command = make_request(RequestCode::GetMaxOffset, header);
    const CommandView view = command.view();
    const Result<Header> decoded = decode_fields<Header>(view);
    REQUIRE(decoded);
    CHECK(encoded(*decoded) == command.fields);
  };
  (check(Headers{}), ...);
}

}  // namespace

TEST_CASE("every header reads what it writes") {
  check_round_trips<SendMessageRequest, SendMessageResponse, ConsumerSendMsgBackRequest,
                    EndTransactionRequest, CheckTransactionStateRequest, PullMessageRequest,
                    PullMessageResponse, QueryMessageRequest, QueryMessageResponse,
                    ViewMessageByIdRequest, QueryConsumerOffsetRequest, OffsetResponse,
                    UpdateConsumerOffsetRequest, SearchOffsetByTimestampRequest,
                    GetMaxOffsetRequest, GetMinOffsetRequest, GetEarliestMsgStoretimeRequest,
                    GetEarliestMsgStoretimeResponse, InvokeBrokerToResetOffsetRequest>();
  check_round_trips<PutKvConfigRequest, GetKvConfigRequest, GetKvConfigResponse,
                    DeleteKvConfigRequest, GetKvlistByNamespaceRequest, HeartBeatResponse,
                    UnregisterClientRequest, GetConsumerListByGroupRequest,
                    NotifyConsumerIdsChangedRequest, GetConsumerConnectionListRequest,
                    GetProducerConnectionListRequest, GetConsumerRunningInfoRequest,
                    ConsumeMessageDirectlyRequest>();
  check_round_trips<
      UpdateAndCreateTopicRequest, DeleteTopicInBrokerRequest, RegisterTopicInNamesrvRequest,
      GetTopicStatsInfoRequest, QueryTopicConsumeByWhoRequest, DeleteTopicInNamesrvRequest,
      GetTopicConfigRequest, GetTopicsByClusterRequest, GetAllTopicConfigRequest,
      GetAllTopicConfigResponse, GetConsumeStatsRequest, GetAllSubscriptiongroupConfigRequest,
      GetAllSubscriptiongroupConfigResponse, DeleteSubscriptiongroupRequest,
      GetSubscriptiongroupConfigRequest, QueryConsumeTimeSpanRequest, QueryTopicsByConsumerRequest,
      QuerySubscriptionByConsumerRequest>();
  check_round_trips<RegisterBrokerRequest, RegisterBrokerResponse, UnregisterBrokerRequest,
                    GetRouteinfoByTopicRequest, WipeWritePermOfBrokerRequest,
                    WipeWritePermOfBrokerResponse, AddWritePermOfBrokerRequest,
                    AddWritePermOfBrokerResponse, QueryDataVersionRequest, QueryDataVersionResponse,
                    GetBrokerMemberGroupRequest, BrokerHeartbeatRequest>();
}
