package rmq.interop;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every way of sending; what was stored is read back by a consumer. */
class SendTest extends ServerTest {
    private static Set<String> bodies(List<MessageExt> messages) {
        return messages.stream().map(m -> Bodies.text(m.getBody())).collect(Collectors.toSet());
    }

    private static Set<String> numbered(String prefix, int count) {
        final Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            names.add(prefix + i);
        }
        return names;
    }

    @Test
    void syncSend() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "sync", 4);
        final List<SendResult> results = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            results.add(producer.send(new Message(topic, Bodies.text("sync" + i))));
        }
        final List<MessageExt> messages = clients.readAll(topic, 50);
        assertEquals(50, messages.size());
        assertEquals(numbered("sync", 50), bodies(messages));
        // Each message lies where the answer said, under the ids that the answer gave.
        for (SendResult result : results) {
            assertEquals(SendStatus.SEND_OK, result.getSendStatus());
            final MessageExt stored = messages.stream()
                .filter(m -> m.getMsgId().equals(result.getMsgId())).findFirst().orElseThrow();
            assertEquals(result.getMessageQueue().getQueueId(), stored.getQueueId());
            assertEquals(result.getQueueOffset(), stored.getQueueOffset());
            assertEquals(result.getOffsetMsgId(), offsetMessageId(stored));
        }
    }

    private static String offsetMessageId(MessageExt message) {
        return org.apache.rocketmq.common.message.MessageDecoder.createMessageId(
            message.getStoreHost(), message.getCommitLogOffset());
    }

    @Test
    void asyncSend() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "async", 4);
        final int count = 200;
        final CountDownLatch answered = new CountDownLatch(count);
        final ConcurrentLinkedQueue<SendResult> results = new ConcurrentLinkedQueue<>();
        final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        for (int i = 0; i < count; i++) {
            producer.send(new Message(topic, Bodies.text("async" + i)), new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    results.add(result);
                    answered.countDown();
                }

                @Override
                public void onException(Throwable failure) {
                    failures.add(failure);
                    answered.countDown();
                }
            });
        }
        assertTrue(answered.await(30, TimeUnit.SECONDS), "every callback was called");
        assertEquals(List.of(), List.copyOf(failures));
        assertEquals(count, results.size());
        assertEquals(numbered("async", count), bodies(clients.readAll(topic, count)));
    }

    @Test
    void oneWaySend() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "oneway", 4);
        for (int i = 0; i < 100; i++) {
            producer.sendOneway(new Message(topic, Bodies.text("oneway" + i)));
        }
        assertEquals(numbered("oneway", 100), bodies(clients.readAll(topic, 100)));
    }

    @Test
    void batchSend() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "batch", 1);
        producer.send(new Message(topic, Bodies.text("before")));
        final List<Message> batch = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            final Message message =
                new Message(topic, "Tag" + i, "key" + i, Bodies.text("batch" + i));
            message.putUserProperty("number", Integer.toString(i));
            batch.add(message);
        }
        final SendResult result = producer.send(batch);
        assertEquals(SendStatus.SEND_OK, result.getSendStatus());
        assertEquals(1, result.getQueueOffset(), "the offset of the batch's first message");
        final String[] ids = result.getOffsetMsgId().split(",");
        assertEquals(20, ids.length);

        final List<MessageExt> messages = clients.readAll(topic, 21);
        assertEquals(21, messages.size());
        for (int i = 0; i < 20; i++) {
            final MessageExt stored = messages.get(i + 1);
            assertEquals(i + 1, stored.getQueueOffset());
            assertEquals("batch" + i, Bodies.text(stored.getBody()));
            assertEquals("Tag" + i, stored.getTags());
            assertEquals("key" + i, stored.getKeys());
            assertEquals(Integer.toString(i), stored.getUserProperty("number"));
            assertEquals(ids[i], offsetMessageId(stored));
        }
    }

    @Test
    void queueSelector() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "selector", 4);
        for (int i = 0; i < 40; i++) {
            final int order = i;
            final SendResult result = producer.send(new Message(topic, Bodies.text("m" + i)),
                (queues, message, argument) -> queues.stream()
                    .filter(q -> q.getQueueId() == (Integer) argument % 4).findFirst()
                    .orElseThrow(), order);
            assertEquals(i % 4, result.getMessageQueue().getQueueId());
            assertEquals(i / 4, result.getQueueOffset(), "each queue counts for itself");
        }
        for (MessageExt stored : clients.readAll(topic, 40)) {
            assertEquals("m" + (stored.getQueueOffset() * 4 + stored.getQueueId()),
                Bodies.text(stored.getBody()));
        }
    }

    @Test
    void keysTagsAndProperties() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "properties", 1);
        final Message message = new Message(topic, "Tag-é", Bodies.text("body"));
        message.setKeys(Arrays.asList("order-1", "größe"));
        message.putUserProperty("city", "大阪");
        message.putUserProperty("json", "{\"a\":[1,\"=\"]}");
        message.setFlag(77);
        final long before = System.currentTimeMillis();
        final SendResult sent = producer.send(message);

        final MessageExt stored = clients.readAll(topic, 1).get(0);
        assertEquals("Tag-é", stored.getTags());
        assertEquals("order-1 größe", stored.getKeys());
        assertEquals("大阪", stored.getUserProperty("city"));
        assertEquals("{\"a\":[1,\"=\"]}", stored.getUserProperty("json"));
        assertEquals(77, stored.getFlag());
        assertEquals(sent.getMsgId(), stored.getMsgId());
        assertEquals(topic, stored.getTopic());
        assertEquals(new InetSocketAddress("127.0.0.1", server.brokerPort()),
            stored.getStoreHost());
        assertEquals("127.0.0.1", stored.getBornHostString());
        assertTrue(stored.getBornTimestamp() >= before - 1000);
        assertTrue(stored.getStoreTimestamp() >= stored.getBornTimestamp() - 1000);
        assertEquals("0", stored.getProperty("MIN_OFFSET"));
        assertEquals("1", stored.getProperty("MAX_OFFSET"));
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void compressedBody(CompressionType type) throws Exception {
        final DefaultMQProducer producer = clients.newProducer();
        producer.setCompressType(type);
        producer.setCompressMsgBodyOverHowmuch(1024);
        producer.start();
        final String topic = clients.newTopic(producer, "compressed", 1);
        final byte[] body = Bodies.repetitive(100_000);
        producer.send(new Message(topic, body));

        assertArrayEquals(body, clients.readAll(topic, 1).get(0).getBody());
        // And as it lies in the store: the client clears the flag when it unpacks a body.
        final MessageExt stored = clients.readPacked(topic).get(0);
        assertEquals(MessageSysFlag.COMPRESSED_FLAG,
            stored.getSysFlag() & MessageSysFlag.COMPRESSED_FLAG);
        assertEquals(type, MessageSysFlag.getCompressionType(stored.getSysFlag()));
        assertTrue(stored.getStoreSize() < body.length / 2, "stored as the client packed it");
    }

    @Test
    void fourMebibyteBody() throws Exception {
        final DefaultMQProducer producer = clients.newProducer();
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        producer.start();
        final String topic = clients.newTopic(producer, "large", 1);
        final byte[] body = Bodies.random(4 << 20, 3);
        assertEquals(SendStatus.SEND_OK, producer.send(new Message(topic, body)).getSendStatus());
        assertArrayEquals(body, clients.readAll(topic, 1).get(0).getBody());
    }

    @Test
    void largerBodyIsRefusedByTheBroker() throws Exception {
        final DefaultMQProducer producer = clients.newProducer();
        producer.setCompressMsgBodyOverHowmuch(Integer.MAX_VALUE);
        producer.setMaxMessageSize(8 << 20);
        producer.start();
        final String topic = clients.newTopic(producer, "too-large", 1);
        final MQBrokerException refusal = Bodies.refusal(
            () -> producer.send(new Message(topic, Bodies.random((4 << 20) + 1, 4))));
        assertEquals(ResponseCode.MESSAGE_ILLEGAL, refusal.getResponseCode());
        assertTrue(refusal.getErrorMessage().contains("msg body length limit 4194304B"),
            refusal.getErrorMessage());
        assertEquals(0, producer.maxOffset(
            new MessageQueue(topic, brokerName(producer, topic), 0)), "nothing was stored");
        // The connection goes on.
        producer.send(new Message(topic, Bodies.text("small")));
        assertEquals("small", Bodies.text(clients.readAll(topic, 1).get(0).getBody()));
    }

    private static String brokerName(DefaultMQProducer producer, String topic) throws Exception {
        return producer.fetchPublishMessageQueues(topic).get(0).getBrokerName();
    }
}
