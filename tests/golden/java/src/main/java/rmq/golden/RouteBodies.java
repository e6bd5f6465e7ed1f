package rmq.golden;

import com.alibaba.fastjson.serializer.SerializerFeature;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.TopicFilterType;
import org.apache.rocketmq.remoting.protocol.DataVersion;
import org.apache.rocketmq.remoting.protocol.body.ClusterInfo;
import org.apache.rocketmq.remoting.protocol.body.KVTable;
import org.apache.rocketmq.remoting.protocol.body.RegisterBrokerBody;
import org.apache.rocketmq.remoting.protocol.body.TopicConfigAndMappingSerializeWrapper;
import org.apache.rocketmq.remoting.protocol.body.TopicList;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.protocol.statictopic.TopicQueueMappingInfo;

/** Bodies that name servers and brokers exchange, and the routes that clients get. */
final class RouteBodies {
  private RouteBodies() {}

  static void write(Golden golden) throws Exception {
    golden.write("register_broker_body.json", registerBrokerBody().encode(false), "`RegisterBrokerBody.encode(false)`");
    golden.write("register_broker_body_compressed.bin", registerBrokerBody().encode(true),
        "`RegisterBrokerBody.encode(true)`");
    golden.write("register_broker_body_default.json", defaultBody().encode(false),
        "`RegisterBrokerBody.encode(false)` without topics");
    golden.write("topic_config_wrapper.json", topicWrapper().encode(), "`TopicConfigAndMappingSerializeWrapper.encode()`");
    golden.write("data_version.json", version(5, 2, 1700000000000L).encode(), "`DataVersion.encode()`");
    golden.write("topic_config.txt", topics().get("TopicAttributes").encode() + "\n" + new TopicConfig("Plain").encode() + "\n",
        "`TopicConfig.encode()`, a line each");

    SerializerFeature[] standard = {SerializerFeature.BrowserCompatible, SerializerFeature.QuoteFieldNames,
        SerializerFeature.SkipTransientField, SerializerFeature.MapSortField};
    String standardCall = "`TopicRouteData.encode(BrowserCompatible, QuoteFieldNames, SkipTransientField, MapSortField)`";
    golden.write("route_body.json", route().encode(), "`TopicRouteData.encode()`");
    golden.write("route_body_standard.json", route().encode(standard), standardCall);
    golden.write("route_body_full.json", fullRoute().encode(), "`TopicRouteData.encode()`, every optional member set");
    golden.write("route_body_full_standard.json", fullRoute().encode(standard), standardCall + ", every optional member set");
    golden.write("cluster_info.json", clusterInfo().encode(), "`ClusterInfo.encode()`");
    golden.write("topic_list.json", topicList(null).encode(), "`TopicList.encode()`");
    golden.write("topic_list_broker.json", topicList("10.0.0.1:10911").encode(), "`TopicList.encode()` with brokerAddr");
    golden.write("topic_list_empty.json", new TopicList().encode(), "`TopicList.encode()`, nothing set");
    golden.write("kv_table.json", kvTable().encode(), "`KVTable.encode()`");
  }

  static DataVersion version(long counter, long stateVersion, long timestamp) {
    DataVersion version = new DataVersion();
    version.setCounter(new AtomicLong(counter));
    version.setStateVersion(stateVersion);
    version.setTimestamp(timestamp);
    return version;
  }

  static ConcurrentMap<String, TopicConfig> topics() {
    ConcurrentMap<String, TopicConfig> table = new ConcurrentHashMap<>();
    table.put("TBW102", new TopicConfig("TBW102", 8, 8, 7, 0));
    TopicConfig attributes = new TopicConfig("TopicAttributes", 16, 4, 6, 3);
    attributes.setTopicFilterType(TopicFilterType.MULTI_TAG);
    attributes.setOrder(true);
    attributes.setAttributes(new HashMap<>(Map.of("+message.type", "FIFO")));
    table.put("TopicAttributes", attributes);
    table.put("%RETRY%group", new TopicConfig("%RETRY%group", 1, 1, 6, 0));
    return table;
  }

  static TopicConfigAndMappingSerializeWrapper topicWrapper() {
    TopicConfigAndMappingSerializeWrapper wrapper = new TopicConfigAndMappingSerializeWrapper();
    wrapper.setTopicConfigTable(topics());
    wrapper.setDataVersion(version(5, 2, 1700000000000L));
    wrapper.setMappingDataVersion(version(0, 0, 1600000000000L));
    wrapper.setTopicQueueMappingInfoMap(new ConcurrentHashMap<>(Map.of("Static", mapping())));
    return wrapper;
  }

  private static TopicQueueMappingInfo mapping() {
    TopicQueueMappingInfo info = new TopicQueueMappingInfo("Static", 8, "broker-a", 1234567L);
    info.setCurrIdMap(new ConcurrentHashMap<>(Map.of(2, 0)));
    return info;
  }

  static RegisterBrokerBody registerBrokerBody() {
    RegisterBrokerBody body = new RegisterBrokerBody();
    body.setTopicConfigSerializeWrapper(topicWrapper());
    body.setFilterServerList(List.of());
    return body;
  }

  private static RegisterBrokerBody defaultBody() {
    RegisterBrokerBody body = new RegisterBrokerBody();
    body.getTopicConfigSerializeWrapper().setDataVersion(version(0, 0, 0));
    body.getTopicConfigSerializeWrapper().setMappingDataVersion(version(0, 0, 0));
    return body;
  }

  private static QueueData queueData(String broker, int read, int write, int perm, int sysFlag) {
    QueueData data = new QueueData();
    data.setBrokerName(broker);
    data.setReadQueueNums(read);
    data.setWriteQueueNums(write);
    data.setPerm(perm);
    data.setTopicSysFlag(sysFlag);
    return data;
  }

  private static BrokerData brokerData(String cluster, String name, Map<Long, String> addresses) {
    return new BrokerData(cluster, name, new HashMap<>(addresses));
  }

  private static TopicRouteData route() {
    TopicRouteData route = new TopicRouteData();
    route.setQueueDatas(List.of(queueData("broker-a", 8, 8, 6, 0), queueData("broker-b", 4, 2, 4, 1)));
    route.setBrokerDatas(List.of(
        brokerData("DefaultCluster", "broker-a", Map.of(0L, "10.0.0.1:10911", 1L, "10.0.0.2:10911")),
        brokerData("DefaultCluster", "broker-b", Map.of(0L, "[fe80::1]:10911"))));
    route.setFilterServerTable(new HashMap<>());
    return route;
  }

  private static TopicRouteData fullRoute() {
    TopicRouteData route = route();
    route.setOrderTopicConf("broker-a:8;broker-b:4");
    BrokerData zoned = brokerData("C/\u00e4", "b'\"c", Map.of(0L, "10.0.0.3:10911"));
    zoned.setZoneName("zone<1>");
    zoned.setEnableActingMaster(true);
    route.setBrokerDatas(List.of(zoned));
    route.setFilterServerTable(new HashMap<>(Map.of("10.0.0.3:10911", List.of("10.0.0.3:30000"))));
    route.setTopicQueueMappingByBroker(new HashMap<>(Map.of("broker-a", mapping())));
    return route;
  }

  private static ClusterInfo clusterInfo() {
    ClusterInfo info = new ClusterInfo();
    info.setBrokerAddrTable(new HashMap<>(Map.of("broker-a",
        brokerData("DefaultCluster", "broker-a", Map.of(0L, "10.0.0.1:10911", 1L, "10.0.0.2:10911")))));
    Set<String> names = new LinkedHashSet<>(List.of("broker-a"));
    info.setClusterAddrTable(new HashMap<>(Map.of("DefaultCluster", names)));
    return info;
  }

  private static TopicList topicList(String broker) {
    TopicList list = new TopicList();
    list.setTopicList(new LinkedHashSet<>(List.of("TopicB", "TopicA", "%RETRY%group")));
    list.setBrokerAddr(broker);
    return list;
  }

  private static KVTable kvTable() {
    KVTable table = new KVTable();
    table.setTable(new HashMap<>(Map.of("putTps", "0.0 0.1 12.5")));
    return table;
  }
}
