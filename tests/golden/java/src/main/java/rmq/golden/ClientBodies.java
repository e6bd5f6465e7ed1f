package rmq.golden;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.LanguageCode;
import org.apache.rocketmq.remoting.protocol.admin.ConsumeStats;
import org.apache.rocketmq.remoting.protocol.admin.OffsetWrapper;
import org.apache.rocketmq.remoting.protocol.admin.TopicOffset;
import org.apache.rocketmq.remoting.protocol.admin.TopicStatsTable;
import org.apache.rocketmq.remoting.protocol.body.Connection;
import org.apache.rocketmq.remoting.protocol.body.ConsumerConnection;
import org.apache.rocketmq.remoting.protocol.body.LockBatchRequestBody;
import org.apache.rocketmq.remoting.protocol.body.LockBatchResponseBody;
import org.apache.rocketmq.remoting.protocol.body.ProducerConnection;
import org.apache.rocketmq.remoting.protocol.body.ResetOffsetBody;
import org.apache.rocketmq.remoting.protocol.body.UnlockBatchRequestBody;
import org.apache.rocketmq.remoting.protocol.filter.FilterAPI;
import org.apache.rocketmq.remoting.protocol.header.GetConsumerListByGroupResponseBody;
import org.apache.rocketmq.remoting.protocol.heartbeat.ConsumeType;
import org.apache.rocketmq.remoting.protocol.heartbeat.ConsumerData;
import org.apache.rocketmq.remoting.protocol.heartbeat.HeartbeatData;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.apache.rocketmq.remoting.protocol.heartbeat.ProducerData;
import org.apache.rocketmq.remoting.protocol.heartbeat.SubscriptionData;

/** Bodies that clients and brokers exchange. */
final class ClientBodies {
  private static final String CLIENT_ID = "10.0.0.9@4242#123456789";

  private ClientBodies() {}

  static void write(Golden golden) throws Exception {
    golden.write("heartbeat.json", heartbeat().encode(), "`HeartbeatData.encode()`, subscriptions by `FilterAPI`");
    golden.write("heartbeat_producer.json", producerHeartbeat().encode(), "`HeartbeatData.encode()`, a producer only");
    GetConsumerListByGroupResponseBody list = new GetConsumerListByGroupResponseBody();
    list.setConsumerIdList(List.of(CLIENT_ID, "10.0.0.8@1#2"));
    golden.write("consumer_list.json", list.encode(), "`GetConsumerListByGroupResponseBody.encode()`");

    LockBatchRequestBody lock = new LockBatchRequestBody();
    lock.setConsumerGroup("group");
    lock.setClientId(CLIENT_ID);
    lock.setMqSet(queues());
    golden.write("lock_batch_request.json", lock.encode(), "`LockBatchRequestBody.encode()`");
    LockBatchResponseBody locked = new LockBatchResponseBody();
    locked.setLockOKMQSet(queues());
    golden.write("lock_batch_response.json", locked.encode(), "`LockBatchResponseBody.encode()`");
    UnlockBatchRequestBody unlock = new UnlockBatchRequestBody();
    unlock.setConsumerGroup("group");
    unlock.setClientId(CLIENT_ID);
    unlock.setOnlyThisBroker(true);
    unlock.setMqSet(queues());
    golden.write("unlock_batch_request.json", unlock.encode(), "`UnlockBatchRequestBody.encode()`");

    golden.write("consumer_connection.json", consumerConnection().encode(), "`ConsumerConnection.encode()`");
    ProducerConnection producers = new ProducerConnection();
    producers.setConnectionSet(connections());
    golden.write("producer_connection.json", producers.encode(), "`ProducerConnection.encode()`");

    golden.write("topic_stats.json", topicStats().encode(), "`TopicStatsTable.encode()`: an object as key");
    golden.write("consume_stats.json", consumeStats().encode(), "`ConsumeStats.encode()`: an object as key");
    ResetOffsetBody reset = new ResetOffsetBody();
    reset.setOffsetTable(new java.util.HashMap<>(Map.of(new MessageQueue("TopicTest", "broker-a", 3), 5L)));
    golden.write("reset_offset.json", reset.encode(), "`ResetOffsetBody.encode()`: an object as key");
  }

  private static Set<MessageQueue> queues() {
    return new LinkedHashSet<>(List.of(new MessageQueue("TopicTest", "broker-a", 3), new MessageQueue("TopicTest", "broker-a", 0)));
  }

  private static SubscriptionData subscription(String topic, String expression) throws Exception {
    SubscriptionData data = FilterAPI.buildSubscriptionData(topic, expression);
    data.setSubVersion(1700000000000L);
    // One order for the file: hash sets have none.
    data.setTagsSet(new LinkedHashSet<>(new java.util.TreeSet<>(data.getTagsSet())));
    data.setCodeSet(new LinkedHashSet<>(new java.util.TreeSet<>(data.getCodeSet())));
    return data;
  }

  private static HeartbeatData heartbeat() throws Exception {
    HeartbeatData heartbeat = producerHeartbeat();
    ConsumerData consumer = new ConsumerData();
    consumer.setGroupName("group");
    consumer.setConsumeType(ConsumeType.CONSUME_PASSIVELY);
    consumer.setMessageModel(MessageModel.CLUSTERING);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET);
    consumer.setUnitMode(false);
    consumer.setSubscriptionDataSet(new LinkedHashSet<>(List.of(
        subscription("TopicTest", "TagA || T\u00e4gB"), subscription("%RETRY%group", "*"))));
    heartbeat.setConsumerDataSet(new LinkedHashSet<>(List.of(consumer)));
    heartbeat.setHeartbeatFingerprint(-77);
    return heartbeat;
  }

  private static HeartbeatData producerHeartbeat() {
    HeartbeatData heartbeat = new HeartbeatData();
    heartbeat.setClientID(CLIENT_ID);
    ProducerData producer = new ProducerData();
    producer.setGroupName("producer-group");
    heartbeat.setProducerDataSet(new LinkedHashSet<>(List.of(producer)));
    return heartbeat;
  }

  private static HashSet<Connection> connections() {
    Connection connection = new Connection();
    connection.setClientId(CLIENT_ID);
    connection.setClientAddr("10.0.0.9:50000");
    connection.setLanguage(LanguageCode.JAVA);
    connection.setVersion(479);
    return new HashSet<>(Set.of(connection));
  }

  private static ConsumerConnection consumerConnection() throws Exception {
    ConsumerConnection body = new ConsumerConnection();
    body.setConnectionSet(connections());
    body.setConsumeType(ConsumeType.CONSUME_ACTIVELY);
    body.setMessageModel(MessageModel.BROADCASTING);
    body.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_TIMESTAMP);
    body.setSubscriptionTable(new ConcurrentHashMap<>(Map.of("TopicTest", subscription("TopicTest", "TagA"))));
    return body;
  }

  private static TopicStatsTable topicStats() {
    TopicStatsTable table = new TopicStatsTable();
    TopicOffset offset = new TopicOffset();
    offset.setMinOffset(1);
    offset.setMaxOffset(4294967299L);
    offset.setLastUpdateTimestamp(1700000000123L);
    table.getOffsetTable().put(new MessageQueue("TopicTest", "broker-a", 3), offset);
    table.setTopicPutTps(12.5);
    return table;
  }

  private static ConsumeStats consumeStats() {
    ConsumeStats stats = new ConsumeStats();
    OffsetWrapper offset = new OffsetWrapper();
    offset.setBrokerOffset(4294967299L);
    offset.setConsumerOffset(17);
    offset.setPullOffset(18);
    offset.setLastTimestamp(1700000000123L);
    stats.getOffsetTable().put(new MessageQueue("TopicTest", "broker-a", 3), offset);
    return stats;
  }
}
