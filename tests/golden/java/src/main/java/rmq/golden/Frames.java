package rmq.golden;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.common.UtilAll;
import org.apache.rocketmq.remoting.CommandCustomHeader;
import org.apache.rocketmq.remoting.protocol.LanguageCode;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.SerializeType;
import org.apache.rocketmq.remoting.protocol.header.PullMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.PullMessageResponseHeader;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeaderV2;
import org.apache.rocketmq.remoting.protocol.header.SendMessageResponseHeader;
import org.apache.rocketmq.remoting.protocol.header.namesrv.GetRouteInfoRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.namesrv.RegisterBrokerRequestHeader;

/** Whole frames, each in both header encodings. */
final class Frames {
  /** Properties with both separators, an Euro sign, a letter of two bytes and one outside the basic plane. */
  static final String PROPERTIES =
      "KEYS\u0001k1 k2\u0002TAGS\u0001T\u00e4g\u20ac\ud83d\ude00\u0002UNIQ_KEY\u00017F0000010ABC0000000000000000002A\u0002WAIT\u0001true\u0002";

  private Frames() {}

  static void write(Golden golden) throws Exception {
    both(golden, "frame_get_route", Frames::getRoute, "GetRouteInfoRequestHeader, one ext field");
    both(golden, "frame_register_broker", Frames::registerBroker, "RegisterBrokerRequestHeader with a body");
    both(golden, "frame_send", Frames::send, "SendMessageRequestHeader (V1)");
    both(golden, "frame_send_v2", Frames::sendV2, "SendMessageRequestHeaderV2");
    both(golden, "frame_send_batch", Frames::sendBatch, "SendMessageRequestHeaderV2 with batch, code 320");
    both(golden, "frame_pull", Frames::pull, "PullMessageRequestHeader");
    both(golden, "frame_pull_response", Frames::pullResponse, "PullMessageResponseHeader with a body");
    both(golden, "frame_send_response", Frames::sendResponse, "SendMessageResponseHeader");
    both(golden, "frame_error_response", Frames::errorResponse, "a response with a remark and no ext fields");
    both(golden, "frame_remark_escapes", Frames::remarkEscapes, "a remark with every kind of escape");
    both(golden, "frame_empty_response", Frames::emptyResponse, "a response with nothing but a code");
    both(golden, "frame_oneway", Frames::oneway, "a one-way request without header class, other language");
  }

  private interface Maker {
    RemotingCommand make();
  }

  private static void both(Golden golden, String name, Maker maker, String what) throws Exception {
    for (SerializeType type : SerializeType.values()) {
      RemotingCommand command = maker.make();
      command.setSerializeTypeCurrentRPC(type);
      ByteBuffer frame = command.encode();
      String file = name + (type == SerializeType.JSON ? "_json.bin" : "_binary.bin");
      golden.write(file, frame, "`RemotingCommand.encode()`, " + type + ": " + what);
    }
  }

  private static RemotingCommand request(int code, CommandCustomHeader header, int opaque) {
    RemotingCommand command = RemotingCommand.createRequestCommand(code, header);
    command.setOpaque(opaque);
    return command;
  }

  private static RemotingCommand response(int code, CommandCustomHeader header, int opaque) {
    RemotingCommand command = RemotingCommand.createResponseCommandWithHeader(code, header);
    command.setOpaque(opaque);
    return command;
  }

  private static RemotingCommand getRoute() {
    GetRouteInfoRequestHeader header = new GetRouteInfoRequestHeader();
    header.setTopic("T");
    return request(RequestCode.GET_ROUTEINFO_BY_TOPIC, header, 7);
  }

  private static RemotingCommand registerBroker() {
    byte[] body = RouteBodies.registerBrokerBody().encode(false);
    RegisterBrokerRequestHeader header = new RegisterBrokerRequestHeader();
    header.setBrokerName("broker-a");
    header.setBrokerAddr("10.0.0.1:10911");
    header.setClusterName("DefaultCluster");
    header.setHaServerAddr("10.0.0.1:10912");
    header.setBrokerId(0L);
    header.setHeartbeatTimeoutMillis(120000L);
    header.setEnableActingMaster(false);
    header.setCompressed(false);
    header.setBodyCrc32(UtilAll.crc32(body));
    RemotingCommand command = request(RequestCode.REGISTER_BROKER, header, 8);
    command.setBody(body);
    return command;
  }

  private static SendMessageRequestHeader sendHeader() {
    SendMessageRequestHeader header = new SendMessageRequestHeader();
    header.setProducerGroup("producer-group");
    header.setTopic("TopicTest");
    header.setDefaultTopic("TBW102");
    header.setDefaultTopicQueueNums(4);
    header.setQueueId(3);
    header.setSysFlag(0);
    header.setBornTimestamp(1700000000123L);
    header.setFlag(-5);
    header.setProperties(PROPERTIES);
    header.setReconsumeTimes(0);
    header.setUnitMode(false);
    header.setMaxReconsumeTimes(16);
    header.setBatch(false);
    header.setBrokerName("broker-a");
    return header;
  }

  private static RemotingCommand send() {
    RemotingCommand command = request(RequestCode.SEND_MESSAGE, sendHeader(), 9);
    command.setBody("hello".getBytes(StandardCharsets.UTF_8));
    return command;
  }

  private static RemotingCommand sendV2() {
    SendMessageRequestHeaderV2 header = SendMessageRequestHeaderV2.createSendMessageRequestHeaderV2(sendHeader());
    RemotingCommand command = request(RequestCode.SEND_MESSAGE_V2, header, 10);
    command.setBody("hello".getBytes(StandardCharsets.UTF_8));
    return command;
  }

  private static RemotingCommand sendBatch() {
    SendMessageRequestHeader v1 = sendHeader();
    v1.setBatch(true);
    v1.setProperties("WAIT\u0001true\u0002");
    SendMessageRequestHeaderV2 header = SendMessageRequestHeaderV2.createSendMessageRequestHeaderV2(v1);
    RemotingCommand command = request(RequestCode.SEND_BATCH_MESSAGE, header, 11);
    command.setBody(Records.batchBody());
    return command;
  }

  private static RemotingCommand pull() {
    PullMessageRequestHeader header = new PullMessageRequestHeader();
    header.setConsumerGroup("consumer-group");
    header.setTopic("TopicTest");
    header.setQueueId(3);
    header.setQueueOffset(4294967296L);
    header.setMaxMsgNums(32);
    header.setSysFlag(6);
    header.setCommitOffset(0L);
    header.setSuspendTimeoutMillis(15000L);
    header.setSubscription("TagA || T\u00e4gB");
    header.setSubVersion(1700000000000L);
    header.setExpressionType("TAG");
    header.setMaxMsgBytes(2147483647);
    header.setBrokerName("broker-a");
    return request(RequestCode.PULL_MESSAGE, header, 12);
  }

  private static RemotingCommand pullResponse() {
    PullMessageResponseHeader header = new PullMessageResponseHeader();
    header.setSuggestWhichBrokerId(0L);
    header.setNextBeginOffset(4294967297L);
    header.setMinOffset(0L);
    header.setMaxOffset(4294967299L);
    header.setTopicSysFlag(0);
    header.setGroupSysFlag(0);
    RemotingCommand command = response(ResponseCode.SUCCESS, header, 12);
    command.setRemark("FOUND");
    command.setBody(new byte[] {1, 2, 3, (byte) 0xFF});
    return command;
  }

  private static RemotingCommand sendResponse() {
    SendMessageResponseHeader header = new SendMessageResponseHeader();
    header.setMsgId("0A00000100002A9F0000000040000040");
    header.setQueueId(3);
    header.setQueueOffset(17L);
    header.setTransactionId("7F0000010ABC0000000000000000002A");
    RemotingCommand command = response(ResponseCode.SUCCESS, header, 10);
    command.addExtField("MSG_REGION", "DefaultRegion");
    command.addExtField("TRACE_ON", "true");
    return command;
  }

  private static RemotingCommand errorResponse() {
    RemotingCommand command = response(ResponseCode.TOPIC_NOT_EXIST, null, 13);
    command.setRemark("No topic route info in name server for the topic: T\u00e4\u20ac\ud83d\ude00");
    return command;
  }

  private static RemotingCommand remarkEscapes() {
    RemotingCommand command = response(ResponseCode.SYSTEM_ERROR, null, 14);
    command.setRemark("\u0000\u0001\b\t\n\u000b\f\r\u001b\"'\\/<&\u007f\u0080\u009f\u00a0\u2028\u2029\ufeff");
    return command;
  }

  private static RemotingCommand emptyResponse() {
    return response(ResponseCode.SUCCESS, null, -1);
  }

  private static RemotingCommand oneway() {
    RemotingCommand command = request(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, null, Integer.MAX_VALUE);
    command.markOnewayRPC();
    command.setLanguage(LanguageCode.GO);
    return command;
  }
}
