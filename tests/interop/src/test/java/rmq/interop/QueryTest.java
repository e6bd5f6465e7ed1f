package rmq.interop;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Messages by key, by either id and by time. */
@Timeout(200)
class QueryTest extends ServerTest {
    private static List<String> byKey(DefaultMQProducer producer, String topic, String key, int max)
        throws Exception {
        return byKey(producer, topic, key, max, 0, Long.MAX_VALUE);
    }

    private static List<String> byKey(DefaultMQProducer producer, String topic, String key, int max,
        long begin, long end) throws Exception {
        final QueryResult result = producer.queryMessage(topic, key, max, begin, end);
        final List<String> bodies = new ArrayList<>();
        for (MessageExt message : result.getMessageList()) {
            bodies.add(Bodies.text(message.getBody()));
        }
        return bodies;
    }

    /** The index follows the answer to a send. */
    private static void awaitIndexed(DefaultMQProducer producer, String topic, String key)
        throws Exception {
        Await.until("index of " + key, () -> !byKey(producer, topic, key, 1).isEmpty());
    }

    private static void assertNothing(DefaultMQProducer producer, String topic, String key) {
        final MQClientException none = assertThrows(
            MQClientException.class, () -> byKey(producer, topic, key, 32));
        assertTrue(none.getMessage().contains("no message"), none.getMessage());
    }

    @Test
    void byKey() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "query", 2);
        for (int i = 0; i < 10; i++) {
            producer.send(new Message(topic, "Tag", "each" + i + " all", Bodies.text("body" + i)));
        }
        producer.send(new Message(topic, "Tag", "last", Bodies.text("last")));
        awaitIndexed(producer, topic, "last");
        for (int i = 0; i < 10; i++) {
            assertEquals(List.of("body" + i), byKey(producer, topic, "each" + i, 32));
        }
        assertEquals(10, byKey(producer, topic, "all", 32).size());
        assertEquals(3, byKey(producer, topic, "all", 3).size());
        assertTrue(byKey(producer, topic, "all", 3).contains("body9"));
        assertNothing(producer, topic, "other");
    }

    @Test
    void keysWithTheSameHash() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "collision", 1);
        assertEquals("Aa".hashCode(), "BB".hashCode());
        producer.send(new Message(topic, "Tag", "Aa", Bodies.text("of Aa")));
        producer.send(new Message(topic, "Tag", "BB", Bodies.text("of BB")));
        awaitIndexed(producer, topic, "BB");
        assertEquals(List.of("of Aa"), byKey(producer, topic, "Aa", 32));
        assertEquals(List.of("of BB"), byKey(producer, topic, "BB", 32));
    }

    @Test
    void byEitherMessageId() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "ids", 2);
        final List<SendResult> results = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            results.add(producer.send(new Message(topic, "Tag", "key" + i, Bodies.text("body" + i))));
        }
        awaitIndexed(producer, topic, "key4");
        for (int i = 0; i < 5; i++) {
            final SendResult sent = results.get(i);
            final MessageExt byOffset = producer.getDefaultMQProducerImpl().viewMessage(
                topic, sent.getOffsetMsgId());
            final MessageExt byUniqueKey = producer.getDefaultMQProducerImpl()
                .queryMessageByUniqKey(topic, sent.getMsgId());
            for (MessageExt found : List.of(byOffset, byUniqueKey)) {
                assertArrayEquals(Bodies.text("body" + i), found.getBody());
                assertEquals(sent.getMsgId(), found.getMsgId());
                assertEquals(sent.getQueueOffset(), found.getQueueOffset());
                assertEquals(sent.getMessageQueue().getQueueId(), found.getQueueId());
            }
        }
    }

    @Test
    void byTime() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "time", 1);
        final MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
        assertEquals(-1, producer.earliestMsgStoreTime(queue));
        for (int i = 0; i < 5; i++) {
            producer.send(new Message(topic, "Tag", "key", Bodies.text("body" + i)));
            final long stored = System.currentTimeMillis();
            while (System.currentTimeMillis() == stored) {
                Thread.onSpinWait(); // no two in the same millisecond
            }
        }
        awaitIndexed(producer, topic, "key");
        Await.until("all are dispatched", () -> producer.maxOffset(queue) == 5);
        final List<MessageExt> messages = clients.readAll(topic, 5);
        assertEquals(messages.get(0).getStoreTimestamp(), producer.earliestMsgStoreTime(queue));
        assertEquals(0, producer.searchOffset(queue, 0));
        for (int i = 0; i < 5; i++) {
            final long time = messages.get(i).getStoreTimestamp();
            assertEquals(i, producer.searchOffset(queue, time));
            assertEquals(i + 1, producer.searchOffset(queue, time + 1));
        }
        // A range of whole seconds around all of them, and one before the first.
        final long second = messages.get(0).getStoreTimestamp() / 1000 * 1000;
        final long after = messages.get(4).getStoreTimestamp() + 1000;
        assertEquals(5, byKey(producer, topic, "key", 32, second - 1000, after).size());
        assertThrows(MQClientException.class,
            () -> byKey(producer, topic, "key", 32, 0, second - 2000));
    }

    @Test
    void afterStopAndKill() throws Exception {
        try (Server own = Server.create().with("maxHashSlotNum", "100").with("maxIndexNum", "50")) {
            own.start();
            final String topic;
            final SendResult first;
            try (Clients before = new Clients(own)) {
                final DefaultMQProducer producer = before.startedProducer();
                topic = before.newTopic(producer, "restart", 1);
                first = producer.send(new Message(topic, "Tag", "key0", Bodies.text("body0")));
                for (int i = 1; i < 100; i++) {
                    producer.send(new Message(topic, "Tag", "key" + i, Bodies.text("body" + i)));
                }
                awaitIndexed(producer, topic, "key99");
            }
            own.stop();
            own.start();
            try (Clients between = new Clients(own)) {
                final DefaultMQProducer producer = between.startedProducer();
                Await.until("route", () -> !producer.fetchPublishMessageQueues(topic).isEmpty());
                for (int i = 100; i < 150; i++) {
                    producer.send(new Message(topic, "Tag", "key" + i, Bodies.text("body" + i)));
                }
                awaitIndexed(producer, topic, "key149");
            }
            if (isRmq()) {
                own.kill();  // Java loses the keys of its newest index file then
            } else {
                own.stop();
            }
            own.start();
            try (Clients after = new Clients(own)) {
                final DefaultMQProducer producer = after.startedProducer();
                Await.until("route", () -> !producer.fetchPublishMessageQueues(topic).isEmpty());
                awaitIndexed(producer, topic, "key149");
                for (int i = 0; i < 150; i += 7) {
                    assertEquals(List.of("body" + i), byKey(producer, topic, "key" + i, 32));
                }
                assertArrayEquals(Bodies.text("body0"), producer.getDefaultMQProducerImpl()
                    .viewMessage(topic, first.getOffsetMsgId()).getBody());
            }
            own.deleteDataOnClose();
        }
    }

    private static boolean isRmq() {
        return !Server.isJava();
    }
}
