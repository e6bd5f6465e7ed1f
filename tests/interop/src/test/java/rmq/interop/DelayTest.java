package rmq.interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.impl.consumer.DefaultMQPushConsumerImpl;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Delay levels, retries and dead letters. */
class DelayTest extends ServerTest {
    private static final long[] LEVEL_MS = {0, 1000, 5000, 10_000};
    // Java looks for what is due every 100 ms, rmq exactly then; this machine may be busy.
    private static final long LATE_MS = 3000;

    private static Message delayed(String topic, String body, int level) {
        final Message message = new Message(topic, "Tag", "key-" + body, Bodies.text(body));
        message.setDelayTimeLevel(level);
        return message;
    }

    /** Everything a consumer received, with the time when it came. */
    private record Arrival(MessageExt message, long timeMs) {
    }

    private static void assertDelay(int level, long fromMs, long untilMs) {
        final long took = untilMs - fromMs;
        assertTrue(took >= LEVEL_MS[level], "level " + level + " after " + took + " ms");
        assertTrue(took < LEVEL_MS[level] + LATE_MS, "level " + level + " after " + took + " ms");
    }

    /**
     * The retry topic is made by the consumer's first heartbeat, after it has looked for routes;
     * by itself it looks at its queues again only every 20 s.
     */
    private static void awaitRetryQueue(DefaultMQPushConsumer consumer) throws Exception {
        final String topic = MixAll.getRetryTopic(consumer.getConsumerGroup());
        final DefaultMQPushConsumerImpl impl = consumer.getDefaultMQPushConsumerImpl();
        Await.until("the queue of " + topic, () -> {
            impl.getmQClientFactory().rebalanceImmediately();
            return impl.getRebalanceImpl().getProcessQueueTable().keySet().stream()
                .anyMatch(queue -> queue.getTopic().equals(topic));
        });
    }

    @Test
    void deliveredAfterTheDelayAsItWasSent() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "delay", 2);
        final BlockingQueue<Arrival> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(Clients.unique("group"), MessageModel.CLUSTERING);
        consumer.subscribe(topic, "Tag");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(m -> received.add(new Arrival(m, System.currentTimeMillis())));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();

        final Map<String, Message> sent = new HashMap<>();
        final Map<String, Long> sentMs = new HashMap<>();
        for (int i = 0; i < 20; i++) {
            final Message message = delayed(topic, "m" + i, 1 + i % 2);
            message.putUserProperty("number", Integer.toString(i));
            message.setFlag(i);
            sentMs.put(message.getKeys(), System.currentTimeMillis());
            assertEquals(SendStatus.SEND_OK, producer.send(message).getSendStatus());
            sent.put(message.getKeys(), message);
        }
        for (Arrival arrival : Await.take("delayed messages", received, 20)) {
            final MessageExt message = arrival.message();
            final Message original = sent.remove(message.getKeys());
            assertArrayEquals(original.getBody(), message.getBody());
            assertEquals(original.getTags(), message.getTags());
            assertEquals(original.getFlag(), message.getFlag());
            assertEquals(original.getUserProperty("number"), message.getUserProperty("number"));
            assertEquals(
                original.getProperty(MessageConst.PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX),
                message.getMsgId());
            assertEquals(original.getDelayTimeLevel(), message.getDelayTimeLevel());
            assertEquals(topic, message.getTopic());
            assertEquals(topic, message.getProperty(MessageConst.PROPERTY_REAL_TOPIC));
            assertDelay(original.getDelayTimeLevel(), sentMs.get(message.getKeys()),
                arrival.timeMs());
        }
        assertNull(received.poll(), "each once");
    }

    @Test
    void retriedUntilItIsADeadLetter() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "retry", 1);
        final String group = Clients.unique("group");
        final BlockingQueue<Arrival> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(group, MessageModel.CLUSTERING);
        consumer.setMaxReconsumeTimes(2);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(m -> received.add(new Arrival(m, System.currentTimeMillis())));
            context.setDelayLevelWhenNextConsume(1);
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        });
        consumer.start();
        awaitRetryQueue(consumer);
        final SendResult sent =
            producer.send(new Message(topic, "Tag", "key", Bodies.text("hopeless")));

        long lastMs = 0;
        for (int times = 0; times <= 2; times++) {
            final Arrival arrival = Await.take("attempt " + times, received, 1).get(0);
            final MessageExt message = arrival.message();
            assertEquals("hopeless", Bodies.text(message.getBody()));
            assertEquals(topic, message.getTopic());
            assertEquals(times, message.getReconsumeTimes());
            assertEquals("key", message.getKeys());
            if (times > 0) {
                assertEquals(sent.getOffsetMsgId(),
                    message.getProperty(MessageConst.PROPERTY_ORIGIN_MESSAGE_ID));
                assertDelay(1, lastMs, arrival.timeMs());
            }
            lastMs = arrival.timeMs();
        }
        final String deadLetters = MixAll.getDLQTopic(group);
        final List<MessageExt> dead = new ArrayList<>();
        Await.until("the dead letter", () -> dead.addAll(clients.readAll(deadLetters, 1)));
        assertEquals("hopeless", Bodies.text(dead.get(0).getBody()));
        assertEquals(3, dead.get(0).getReconsumeTimes());
        assertEquals(topic, dead.get(0).getProperty(MessageConst.PROPERTY_RETRY_TOPIC));
        assertNull(received.poll());
    }

    @Test
    void theFirstRetryComesAfterTenSeconds() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "default-retry", 1);
        final BlockingQueue<Arrival> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(Clients.unique("group"), MessageModel.CLUSTERING);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(m -> received.add(new Arrival(m, System.currentTimeMillis())));
            return messages.get(0).getReconsumeTimes() == 0
                ? ConsumeConcurrentlyStatus.RECONSUME_LATER
                : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        awaitRetryQueue(consumer);
        producer.send(new Message(topic, Bodies.text("again")));
        final List<Arrival> arrivals = Await.take("both attempts", received, 2);
        assertDelay(3, arrivals.get(0).timeMs(), arrivals.get(1).timeMs());
        assertEquals(1, arrivals.get(1).message().getReconsumeTimes());
    }

    @Test
    void orderlyConsumersGiveUpToTheDeadLetters() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "orderly-retry", 1);
        final String group = Clients.unique("group");
        final BlockingQueue<String> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(group, MessageModel.CLUSTERING);
        consumer.setMaxReconsumeTimes(2);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            final String body = Bodies.text(messages.get(0).getBody());
            received.add(body + messages.get(0).getReconsumeTimes());
            context.setSuspendCurrentQueueTimeMillis(50);
            return body.equals("bad") ? ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT
                : ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        for (String body : List.of("good", "bad", "next")) {
            producer.send(new Message(topic, Bodies.text(body)));
        }
        // Tried again in its place; then the queue goes on without it.
        assertEquals(List.of("good0", "bad0", "bad1", "bad2", "next0"),
            Await.take("all attempts", received, 5));
        final List<MessageExt> dead = new ArrayList<>();
        Await.until("the dead letter",
            () -> dead.addAll(clients.readAll(MixAll.getDLQTopic(group), 1)));
        assertEquals("bad", Bodies.text(dead.get(0).getBody()));
        assertEquals(topic, dead.get(0).getProperty(MessageConst.PROPERTY_RETRY_TOPIC));
    }

    @Test
    void aDelaySpansARestart() throws Exception {
        try (Server own = Server.create()) {
            own.start();
            final String topic;
            final long begin;
            try (Clients before = new Clients(own)) {
                final DefaultMQProducer producer = before.startedProducer();
                topic = before.newTopic(producer, "restart", 1);
                // Delivered before the stop: must not come again.
                producer.send(delayed(topic, "first", 1));
                assertEquals("first", Bodies.text(before.readAll(topic, 1).get(0).getBody()));
                begin = System.currentTimeMillis();
                for (int i = 0; i < 10; i++) {
                    producer.send(delayed(topic, "later" + i, 2));
                }
            }
            assertEquals(0, own.stop());
            own.start();
            try (Clients after = new Clients(own)) {
                final DefaultMQProducer producer = after.startedProducer();
                Await.until("route of " + topic,
                    () -> producer.fetchPublishMessageQueues(topic).size() == 1);
                final List<MessageExt> messages = after.readAll(topic, 11);
                final List<String> bodies = new ArrayList<>();
                for (MessageExt message : messages) {
                    bodies.add(Bodies.text(message.getBody()));
                    if (bodies.size() > 1) {
                        assertTrue(message.getStoreTimestamp() - begin >= LEVEL_MS[2]);
                    }
                }
                assertEquals(List.of("first", "later0", "later1", "later2", "later3", "later4",
                    "later5", "later6", "later7", "later8", "later9"), bodies);
                final MessageQueue queue =
                    producer.fetchPublishMessageQueues(topic).get(0);
                assertEquals(11, producer.maxOffset(queue), "each once");
            }
            own.deleteDataOnClose();
        }
    }
}
