package rmq.golden;

import java.io.ByteArrayOutputStream;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.common.UtilAll;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageBatch;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExtBatch;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.common.message.MessageVersion;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.apache.rocketmq.store.AppendMessageCallback;
import org.apache.rocketmq.store.AppendMessageResult;
import org.apache.rocketmq.store.CommitLog;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.MessageExtEncoder;
import org.apache.rocketmq.store.PutMessageContext;
import org.apache.rocketmq.store.config.MessageStoreConfig;

/** Stored messages: encoded as a broker does before its append lock, and completed as it does inside. */
final class Records {
  private static final String V4 = "10.0.0.1";
  private static final String V6 = "2001:db8::1:2";
  static final long FILE_FROM = 1L << 30;
  static final long STORE_TIME = 1700000000456L;

  private final Golden golden;
  private final DefaultMessageStore store;
  private final AppendMessageCallback append;

  private Records(Golden golden) throws Exception {
    this.golden = golden;
    store = newStore(new MessageStoreConfig());
    append = callback(store);
  }

  static void write(Golden golden) throws Exception {
    Records records = new Records(golden);
    records.writeRecords();
    records.writeBlank();
    records.writeBatch();
    golden.write("batch_body.bin", batchBody(), "`MessageBatch.encode()` (`MessageDecoder.encodeMessages`)");
  }

  /** A store that is neither loaded nor started: only its encoders are used. */
  static DefaultMessageStore newStore(MessageStoreConfig config) throws Exception {
    Path root = Files.createTempDirectory("golden");
    config.setStorePathRootDir(root.toString());
    config.setMaxMessageSize(1 << 20);
    return new DefaultMessageStore(config, null, null, new BrokerConfig(), new ConcurrentHashMap<>());
  }

  private static AppendMessageCallback callback(DefaultMessageStore store) throws Exception {
    Field field = CommitLog.class.getDeclaredField("appendMessageCallback");
    field.setAccessible(true);
    return (AppendMessageCallback) field.get(store.getCommitLog());
  }

  static MessageExtBrokerInner message(String topic, byte[] body, String properties, String bornIp, String storeIp)
      throws Exception {
    MessageExtBrokerInner message = new MessageExtBrokerInner();
    message.setTopic(topic);
    message.setBody(body);
    message.setPropertiesString(properties);
    message.setQueueId(3);
    message.setFlag(-5);
    message.setQueueOffset(17);
    message.setSysFlag(MessageSysFlag.COMPRESSED_FLAG | MessageSysFlag.COMPRESSION_ZSTD_TYPE);
    message.setBornTimestamp(1700000000123L);
    message.setStoreTimestamp(STORE_TIME);
    message.setBornHost(new InetSocketAddress(InetAddress.getByName(bornIp), 50000));
    message.setStoreHost(new InetSocketAddress(InetAddress.getByName(storeIp), 10911));
    if (bornIp.equals(V6)) {
      message.setBornHostV6Flag();
    }
    if (storeIp.equals(V6)) {
      message.setStoreHostAddressV6Flag();
    }
    message.setReconsumeTimes(2);
    message.setPreparedTransactionOffset(4294967296L);
    message.setBodyCRC(UtilAll.crc32(body));  // as CommitLog.asyncPutMessage does
    return message;
  }

  private void writeRecords() throws Exception {
    byte[] body = "hello".getBytes(StandardCharsets.UTF_8);
    record("record_v1_v4_v4", message("TopicTest", body, Frames.PROPERTIES, V4, V4));
    record("record_v1_v6_v4", message("TopicTest", body, Frames.PROPERTIES, V6, V4));
    record("record_v1_v4_v6", message("TopicTest", body, Frames.PROPERTIES, V4, V6));
    record("record_v1_v6_v6", message("TopicTest", body, Frames.PROPERTIES, V6, V6));

    MessageExtBrokerInner longTopic = message("%RETRY%" + "g".repeat(121), body, Frames.PROPERTIES, V4, V4);
    longTopic.setVersion(MessageVersion.MESSAGE_VERSION_V2);  // as CommitLog does above 127 characters
    record("record_v2_long_topic", longTopic);
    record("record_v1_longest_topic", message("t".repeat(127), body, Frames.PROPERTIES, V4, V4));

    record("record_empty_body", message("TopicTest", new byte[0], Frames.PROPERTIES, V4, V4));
    record("record_no_properties", message("TopicTest", body, "", V4, V4));
    record("record_null_properties", message("TopicTest", body, null, V4, V4));
    // Java CRCs have their top bit cut: this body's has it.
    record("record_crc_top_bit", message("TopicTest", "1".getBytes(StandardCharsets.UTF_8), "", V4, V4));

    for (int type : new int[] {MessageSysFlag.TRANSACTION_PREPARED_TYPE, MessageSysFlag.TRANSACTION_COMMIT_TYPE,
        MessageSysFlag.TRANSACTION_ROLLBACK_TYPE}) {
      MessageExtBrokerInner message = message("TopicTest", body, "TRAN_MSG\u0001true\u0002PGROUP\u0001p\u0002", V4, V4);
      message.setSysFlag(MessageSysFlag.resetTransactionValue(message.getSysFlag(), type));
      record("record_transaction_" + type, message);
    }

    MessageStoreConfig withCrc = new MessageStoreConfig();
    withCrc.setEnabledAppendPropCRC(true);
    DefaultMessageStore crcStore = newStore(withCrc);
    golden.write("record_property_crc.bin",
        completed(crcStore, callback(crcStore), message("TopicTest", body, "TAGS\u0001A", V4, V4)),
        "as record_v1_v4_v4, with `enabledAppendPropCRC` and a text that lacks its last separator");
  }

  /** {@code name}.bin: before the lock; {@code name}_appended.bin: after it. */
  private void record(String name, MessageExtBrokerInner message) throws Exception {
    MessageExtEncoder encoder = new MessageExtEncoder(store.getMessageStoreConfig());
    if (encoder.encode(message) != null) {
      throw new IllegalStateException(name);
    }
    ByteBuffer encoded = encoder.getEncoderBuffer();
    encoded.limit(encoded.getInt(0));
    golden.write(name + ".bin", encoded, "`MessageExtEncoder.encode(MessageExtBrokerInner)`");
    golden.write(name + "_appended.bin", completed(store, append, message), "the same after `CommitLog`'s `doAppend`");
  }

  private static byte[] completed(DefaultMessageStore store, AppendMessageCallback append, MessageExtBrokerInner message)
      throws Exception {
    MessageExtEncoder encoder = new MessageExtEncoder(store.getMessageStoreConfig());
    if (encoder.encode(message) != null) {
      throw new IllegalStateException();
    }
    message.setEncodedBuff(encoder.getEncoderBuffer());
    ByteBuffer file = ByteBuffer.allocate(4096);
    file.position(64);
    append.doAppend(FILE_FROM, file, 4096 - 64, message, new PutMessageContext("TopicTest-3"));
    byte[] bytes = new byte[file.position() - 64];
    file.position(64);
    file.get(bytes);
    if (MessageDecoder.decode(ByteBuffer.wrap(bytes), true, false) == null) {
      throw new IllegalStateException("RocketMQ cannot read its own record");
    }
    return bytes;
  }

  private void writeBlank() throws Exception {
    MessageExtBrokerInner message = message("TopicTest", new byte[100], "", V4, V4);
    MessageExtEncoder encoder = new MessageExtEncoder(store.getMessageStoreConfig());
    encoder.encode(message);
    message.setEncodedBuff(encoder.getEncoderBuffer());
    ByteBuffer file = ByteBuffer.allocate(100);
    append.doAppend(FILE_FROM, file, 100, message, new PutMessageContext("TopicTest-3"));
    file.flip();
    golden.write("record_blank.bin", file, "`CommitLog`'s `doAppend` with 100 bytes left in the file");
  }

  static List<Message> batchMessages() {
    Message first = new Message("TopicTest", "first".getBytes(StandardCharsets.UTF_8));
    first.setFlag(1);
    properties(first, Map.of("TAGS", "TagA"));
    Message second = new Message("TopicTest", new byte[0]);
    second.setFlag(-2);
    properties(second, Map.of());
    Message third = new Message("TopicTest", "drei\u20ac".getBytes(StandardCharsets.UTF_8));
    properties(third, Map.of("TAGS", "T\u00e4g\ud83d\ude00"));
    return List.of(first, second, third);
  }

  private static void properties(Message message, Map<String, String> properties) {
    MessageAccessor.setProperties(message, new LinkedHashMap<>(properties));
  }

  static byte[] batchBody() {
    return MessageDecoder.encodeMessages(batchMessages());
  }

  private void writeBatch() throws Exception {
    for (String host : new String[] {V4, V6}) {
      MessageExtBatch batch = new MessageExtBatch();
      batch.setTopic("TopicTest");
      batch.setQueueId(3);
      batch.setQueueOffset(17);
      batch.setSysFlag(0);
      batch.setBornTimestamp(1700000000123L);
      batch.setStoreTimestamp(STORE_TIME);
      batch.setBornHost(new InetSocketAddress(InetAddress.getByName(host), 50000));
      batch.setStoreHost(new InetSocketAddress(InetAddress.getByName(V4), 10911));
      if (host.equals(V6)) {
        batch.setBornHostV6Flag();
      }
      batch.setBody(batchBody());
      PutMessageContext context = new PutMessageContext("TopicTest-3");
      MessageExtEncoder encoder = new MessageExtEncoder(store.getMessageStoreConfig());
      ByteBuffer encoded = encoder.encode(batch, context);
      String name = host.equals(V4) ? "batch_records_v4" : "batch_records_v6";
      golden.write(name + ".bin", encoded, "`MessageExtEncoder.encode(MessageExtBatch)` of batch_body.bin");
      batch.setEncodedBuff(encoded);
      ByteBuffer file = ByteBuffer.allocate(4096);
      file.position(64);
      AppendMessageResult result = append.doAppend(FILE_FROM, file, 4096 - 64, batch, context);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.write(file.array(), 64, file.position() - 64);
      golden.write(name + "_appended.bin", bytes.toByteArray(), "the same after `CommitLog`'s `doAppend`");
      golden.write(name + "_ids.txt", result.getMsgId(), "the message ids that the broker answers for them");
    }
  }
}
