// Headers about topics: UPDATE_AND_CREATE_TOPIC (17), DELETE_TOPIC_IN_BROKER (215),
// DELETE_TOPIC_IN_NAMESRV (216), REGISTER_TOPIC_IN_NAMESRV (217), lists of topics (206, 224, 304,
// 305), statistics (202, 208, 300), configuration (21, 28, 351) and cleaning (306, 316,
// 329). Bodies:
// topic_config.h, group_body.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/header_fields.h"

namespace rmq::protocol {

struct UpdateAndCreateTopicRequest {
  std::string_view topic{};
  std::string_view default_topic{};
  std::int32_t read_queue_nums = 0;
  std::int32_t write_queue_nums = 0;
  std::int32_t perm = 0;
  std::string_view topic_filter_type{};  // SINGLE_TAG or MULTI_TAG
  std::optional<std::int32_t> topic_sys_flag{};
  bool order = false;
  std::string_view attributes{};  // "+key=value,-key"
  bool force = false;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("defaultTopic", self.default_topic, kOptional);
    f("readQueueNums", self.read_queue_nums, kRequired);
    f("writeQueueNums", self.write_queue_nums, kRequired);
    f("perm", self.perm, kRequired);
    f("topicFilterType", self.topic_filter_type, kRequired);
    f("topicSysFlag", self.topic_sys_flag, kOptional);
    f("order", self.order, kOptional);
    f("attributes", self.attributes, kOptional);
    f("force", self.force, kOptional);
  }
};

// Headers that name a topic and nothing else.
struct TopicRequest {
  std::string_view topic{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
  }
};
struct DeleteTopicInBrokerRequest : TopicRequest {};
struct RegisterTopicInNamesrvRequest : TopicRequest {};
struct GetTopicStatsInfoRequest : TopicRequest {};
struct QueryTopicConsumeByWhoRequest : TopicRequest {};

struct DeleteTopicInNamesrvRequest {
  std::string_view topic{};
  std::string_view cluster_name{};  // empty: in all clusters

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("clusterName", self.cluster_name, kOptional);
  }
};

struct GetTopicConfigRequest {
  std::string_view topic{};
  std::optional<bool> logical{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topic", self.topic, kRequired);
    f("lo", self.logical, kOptional);
  }
};

struct GetAllTopicListFromNameserverRequest : NoFields {};
struct GetSystemTopicListFromNsRequest : NoFields {};
struct GetSystemTopicListFromBrokerRequest : NoFields {};
struct CleanExpiredConsumequeueRequest : NoFields {};
struct CleanUnusedTopicRequest : NoFields {};
struct DeleteExpiredCommitlogRequest : NoFields {};
struct GetBrokerRuntimeInfoRequest : NoFields {};

struct GetTopicsByClusterRequest {
  std::string_view cluster{};

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("cluster", self.cluster, kRequired);
  }
};

// Without topic_seq everything is wanted at once.
struct GetAllTopicConfigRequest {
  std::optional<std::int32_t> topic_seq{};
  std::string_view data_version{};  // JSON
  std::optional<std::int32_t> max_topic_num{};
  std::string_view known{};  // table_sync.h

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("topicSeq", self.topic_seq, kOptional);
    f("dataVersion", self.data_version, kOptional);
    f("maxTopicNum", self.max_topic_num, kOptional);
    f("rmqVersion", self.known, kOptional);
  }
};

struct GetAllTopicConfigResponse {
  std::int32_t total_topic_num = 0;

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("totalTopicNum", self.total_topic_num, kRequired);
  }
};

struct GetConsumeStatsRequest {
  std::string_view consumer_group{};
  std::string_view topic{};
  std::string_view topic_list{};  // separated by ';'

  template <class Self, class F>
  static constexpr void fields(Self& self, F&& f) {
    f("consumerGroup", self.consumer_group, kRequired);
    f("topic", self.topic, kOptional);
    f("topicList", self.topic_list, kOptional);
  }
};

}  // namespace rmq::protocol
