package rmq.golden;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.broker.offset.ConsumerOffsetManager;
import org.apache.rocketmq.broker.schedule.DelayOffsetSerializeWrapper;
import org.apache.rocketmq.broker.subscription.SubscriptionGroupManager;
import org.apache.rocketmq.broker.topic.TopicConfigManager;
import org.apache.rocketmq.remoting.protocol.body.SubscriptionGroupWrapper;
import org.apache.rocketmq.remoting.protocol.body.TopicConfigSerializeWrapper;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;

/** The broker's config/*.json as its managers write them, and the wire form of the same tables. */
final class ConfigFiles {
  private ConfigFiles() {}

  static void write(Golden golden) throws Exception {
    TopicConfigManager topics = new TopicConfigManager();
    topics.getTopicConfigTable().putAll(RouteBodies.topics());
    topics.getDataVersion().assignNewOne(RouteBodies.version(5, 2, 1700000000000L));
    golden.write("config_topics.json", topics.encode(true), "`TopicConfigManager.encode(true)`: topics.json");
    TopicConfigSerializeWrapper wrapper = new TopicConfigSerializeWrapper();
    wrapper.setTopicConfigTable(RouteBodies.topics());
    wrapper.setDataVersion(RouteBodies.version(5, 2, 1700000000000L));
    golden.write("topic_config_wrapper_pretty.json", wrapper.toJson(true), "`TopicConfigSerializeWrapper.toJson(true)`");

    SubscriptionGroupManager groups = new SubscriptionGroupManager();
    groups.getSubscriptionGroupTable().clear();
    groups.getSubscriptionGroupTable().put("group", group());
    groups.getForbiddenTable().put("group", new ConcurrentHashMap<>(Map.of("TopicTest", 1)));
    groups.setDataVersion(RouteBodies.version(3, 0, 1700000000000L));
    golden.write("config_subscription_group.json", groups.encode(true),
        "`SubscriptionGroupManager.encode(true)`: subscriptionGroup.json");
    SubscriptionGroupWrapper table = new SubscriptionGroupWrapper();
    table.getSubscriptionGroupTable().put("group", group());
    table.setDataVersion(RouteBodies.version(3, 0, 1700000000000L));
    golden.write("subscription_group_wrapper.json", table.encode(), "`SubscriptionGroupWrapper.encode()`");
    golden.write("subscription_group_wrapper_pretty.json", table.toJson(true), "`SubscriptionGroupWrapper.toJson(true)`");
    golden.write("subscription_group_config.json",
        org.apache.rocketmq.remoting.protocol.RemotingSerializable.encode(group()), "`RemotingSerializable.encode(SubscriptionGroupConfig)`");

    ConsumerOffsetManager offsets = new ConsumerOffsetManager();
    offsets.getOffsetTable().put("TopicTest@group", new ConcurrentHashMap<>(Map.of(0, 12L, 3, 4294967299L)));
    offsets.setDataVersion(RouteBodies.version(7, 0, 1700000000000L));
    golden.write("config_consumer_offset.json", offsets.encode(true), "`ConsumerOffsetManager.encode(true)`: consumerOffset.json");
    golden.write("consumer_offset.json", offsets.encode(false), "`ConsumerOffsetManager.encode(false)`");
    DelayOffsetSerializeWrapper delays = new DelayOffsetSerializeWrapper();
    delays.setOffsetTable(new ConcurrentHashMap<>(Map.of(1, 5L, 3, 4294967299L, 18, 0L)));
    delays.setDataVersion(RouteBodies.version(7, 0, 1700000000000L));
    golden.write("config_delay_offset.json", delays.toJson(true), "`DelayOffsetSerializeWrapper.toJson(true)`: delayOffset.json");
    golden.write("config_topics_empty.json", emptyTopics(), "`TopicConfigManager.encode(true)` without topics");
  }

  private static String emptyTopics() {
    TopicConfigManager topics = new TopicConfigManager();
    topics.getTopicConfigTable().clear();
    topics.getDataVersion().assignNewOne(RouteBodies.version(0, 0, 1700000000000L));
    return topics.encode(true);
  }

  private static SubscriptionGroupConfig group() {
    SubscriptionGroupConfig config = new SubscriptionGroupConfig();
    config.setGroupName("group");
    config.setRetryMaxTimes(5);
    config.setConsumeMessageOrderly(true);
    return config;
  }
}
