package rmq.interop;

import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Lite pull consumers: queues assigned by hand, seeking, offsets committed by hand. */
class LitePullConsumerTest extends ServerTest {
    private DefaultMQProducer producer;

    /** Offset i of the queue holds the body "m" + i. */
    private MessageQueue queueWith(int count) throws Exception {
        producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "lite", 1);
        final MessageQueue queue = producer.fetchPublishMessageQueues(topic).get(0);
        for (int i = 0; i < count; i++) {
            producer.send(new Message(topic, Bodies.text("m" + i)), queue);
        }
        return queue;
    }

    private static void assertRun(List<MessageExt> messages, int from, int to) {
        assertEquals(to - from, messages.size());
        for (int i = from; i < to; i++) {
            assertEquals(i, messages.get(i - from).getQueueOffset());
            assertEquals("m" + i, Bodies.text(messages.get(i - from).getBody()));
        }
    }

    @Test
    void assignAndSeek() throws Exception {
        final MessageQueue queue = queueWith(100);
        final DefaultLitePullConsumer consumer =
            clients.startedLitePull(Clients.unique("group"));
        consumer.assign(List.of(queue));
        // A seek while the client begins to pull can be lost in it: the pull that is cancelled takes the place of the next one.
        // At the end of the queue none begins.
        assertRun(Clients.poll(consumer, 100), 0, 100);
        consumer.seek(queue, 60);
        assertRun(Clients.poll(consumer, 40), 60, 100);
        consumer.seek(queue, 10);
        assertRun(Clients.poll(consumer, 90), 10, 100);
        consumer.seekToBegin(queue);
        assertRun(Clients.poll(consumer, 100), 0, 100);
        consumer.seekToEnd(queue);
        producer.send(new Message(queue.getTopic(), Bodies.text("m100")), queue);
        assertRun(Clients.poll(consumer, 1), 100, 101);
        assertThrows(Exception.class, () -> consumer.seek(queue, 102), "beyond the end");
    }

    @Test
    void committedOffsets() throws Exception {
        final MessageQueue queue = queueWith(30);
        final String group = Clients.unique("group");
        final DefaultLitePullConsumer first = clients.startedLitePull(group);
        first.assign(List.of(queue));
        assertRun(Clients.poll(first, 30), 0, 30);
        first.commit(Map.of(queue, 12L), true);
        Await.until("committed offset", () -> first.committed(queue) == 12L);
        first.shutdown();

        final DefaultLitePullConsumer second = clients.startedLitePull(group);
        Await.until("the next member sees it", () -> second.committed(queue) == 12L);
        second.assign(List.of(queue));
        assertRun(Clients.poll(second, 18), 12, 30);
    }

    @Test
    void subscribedByGroup() throws Exception {
        final MessageQueue queue = queueWith(20);
        final DefaultLitePullConsumer consumer =
            new DefaultLitePullConsumer(Clients.unique("group"));
        consumer.setNamesrvAddr(server.namesrv());
        consumer.setConsumeFromWhere(
            org.apache.rocketmq.common.consumer.ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(queue.getTopic(), "*");
        consumer.start();
        try {
            assertRun(Clients.poll(consumer, 20), 0, 20);
        } finally {
            consumer.shutdown();
        }
    }

    @Test
    void offsetsByTime() throws Exception {
        final MessageQueue queue = queueWith(5);
        final List<MessageExt> before = clients.readAll(queue.getTopic(), 5);
        final long last = before.get(4).getStoreTimestamp();
        Await.until("the clock to move", () -> System.currentTimeMillis() > last + 1);
        producer.send(new Message(queue.getTopic(), Bodies.text("m5")), queue);
        final long later = clients.readAll(queue.getTopic(), 6).get(5).getStoreTimestamp();

        final DefaultLitePullConsumer consumer =
            clients.startedLitePull(Clients.unique("group"));
        assertTrue(later > last);
        assertEquals(5, consumer.offsetForTimestamp(queue, later));
        assertEquals(0, consumer.offsetForTimestamp(queue, 1L));
    }
}
