package rmq.interop.features;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static rmq.interop.features.Session.bodies;
import static rmq.interop.features.Session.bytes;
import static rmq.interop.features.Session.send;
import static rmq.interop.features.Session.sorted;
import static rmq.interop.features.Session.take;
import static rmq.interop.features.Session.text;
import static rmq.interop.features.Session.unique;

/** One feature a test; the features are the rows of docs/clients.md. Topics are made by the first send. */
@TestInstance(TestInstance.Lifecycle.PER_METHOD)
class FeaturesTest {
    private Session session;

    @BeforeEach
    void open() {
        session = new Session();
    }

    @AfterEach
    void close() {
        session.close();
    }

    @Test
    void sendAndConsume() throws Exception {
        final String topic = unique("send");
        final DefaultMQProducer producer = session.producer(4);
        final List<String> sent = List.of("sync", "oneway", "async", "batch0", "batch1", "long ".repeat(4000));
        final Message first = new Message(topic, "T", "k1 k2", bytes("sync"));
        first.putUserProperty("colour", "blue");
        final SendResult result = send(producer, first);
        assertEquals(0, result.getQueueOffset());
        producer.sendOneway(new Message(topic, bytes("oneway")));
        final CompletableFuture<SendResult> done = new CompletableFuture<>();
        producer.send(new Message(topic, bytes("async")), new SendCallback() {
            @Override
            public void onSuccess(SendResult sendResult) {
                done.complete(sendResult);
            }

            @Override
            public void onException(Throwable e) {
                done.completeExceptionally(e);
            }
        });
        done.get(Session.DEADLINE_SECONDS, TimeUnit.SECONDS);
        producer.send(List.of(new Message(topic, bytes("batch0")), new Message(topic, bytes("batch1"))));
        send(producer, new Message(topic, bytes(sent.get(5)))); // compressed

        final BlockingQueue<MessageExt> received =
            session.receive(session.consumer(unique("group"), topic, "*"));
        final List<MessageExt> messages = take(received, sent.size());
        assertEquals(sorted(sent), sorted(bodies(messages)));
        for (MessageExt message : messages) {
            if (text(message).equals("sync")) {
                assertEquals("T", message.getTags());
                assertEquals("k1 k2", message.getKeys());
                assertEquals("blue", message.getUserProperty("colour"));
                assertEquals(result.getMsgId(), message.getMsgId());
            }
        }
        // A consumer that waits is told of the next message, not when its long poll is over.
        final long start = System.nanoTime();
        send(producer, new Message(topic, bytes("next")));
        assertEquals(List.of("next"), bodies(take(received, 1)));
        assertTrue(System.nanoTime() - start < 5_000_000_000L);
        assertNull(received.poll());
    }

    @Test
    void retryUntilDeadLetter() throws Exception {
        final String topic = unique("retry");
        final String group = unique("group");
        send(session.producer(1), new Message(topic, null, "key", bytes("unloved")));
        final BlockingQueue<MessageExt> attempts = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer = session.consumer(group, topic, "*");
        consumer.setMaxReconsumeTimes(2);
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            attempts.addAll(messages);
            return ConsumeConcurrentlyStatus.RECONSUME_LATER;
        });
        consumer.start();
        int times = 0;
        for (MessageExt message : take(attempts, 3)) {
            assertEquals("unloved", text(message));
            assertEquals(times++, message.getReconsumeTimes());
            assertEquals(topic, message.getTopic());
        }
        final MessageExt letter =
            take(session.receive(session.consumer(unique("group"), "%DLQ%" + group, "*")), 1).get(0);
        assertEquals("unloved", text(letter));
        assertEquals("key", letter.getKeys());
        assertNull(attempts.poll());
    }

    @Test
    void delayLevel() throws Exception {
        final String topic = unique("delay");
        final DefaultMQProducer producer = session.producer(1);
        send(producer, new Message(topic, bytes("first")));
        final BlockingQueue<MessageExt> received =
            session.receive(session.consumer(unique("group"), topic, "*"));
        take(received, 1);
        // The server's levels: 1 s and 3 s.
        final long start = System.nanoTime();
        send(producer, delayed(topic, "three", 2));
        send(producer, delayed(topic, "one", 1));
        send(producer, new Message(topic, bytes("now")));
        for (Map.Entry<String, Integer> expected
            : List.of(Map.entry("now", 0), Map.entry("one", 1000), Map.entry("three", 3000))) {
            assertEquals(List.of(expected.getKey()), bodies(take(received, 1)));
            final long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            assertTrue(waited >= expected.getValue() - 20 && waited <= expected.getValue() + 3000,
                expected.getKey() + " came after " + waited + " ms");
        }
    }

    private static Message delayed(String topic, String body, int level) {
        final Message message = new Message(topic, bytes(body));
        message.setDelayTimeLevel(level);
        return message;
    }

    @Test
    void ordered() throws Exception {
        final String topic = unique("ordered");
        final DefaultMQProducer producer = session.producer(4);
        final int keys = 8;
        final int perKey = 20;
        for (int i = 0; i < perKey; i++) {
            for (int key = 0; key < keys; key++) {
                producer.send(new Message(topic, null, "key" + key, bytes("" + i)),
                    (queues, message, arg) -> queues.get((Integer) arg % queues.size()), key);
            }
        }
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        final AtomicBoolean refused = new AtomicBoolean();
        final DefaultMQPushConsumer consumer = session.consumer(unique("group"), topic, "*");
        consumer.setSuspendCurrentQueueTimeMillis(100);
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            for (MessageExt message : messages) {
                // One is refused once: it must come again before those behind it.
                if (message.getKeys().equals("key3") && text(message).equals("7")
                    && refused.compareAndSet(false, true)) {
                    return ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
                }
                received.add(message);
            }
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        final Map<String, Integer> next = new HashMap<>();
        for (MessageExt message : take(received, keys * perKey)) {
            assertEquals("" + next.getOrDefault(message.getKeys(), 0), text(message), message.getKeys());
            next.merge(message.getKeys(), 1, Integer::sum);
        }
        assertTrue(refused.get());
    }

    @Test
    void broadcast() throws Exception {
        final String topic = unique("broadcast");
        final String group = unique("group");
        final DefaultMQProducer producer = session.producer(4);
        final List<String> sent = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            sent.add("m" + i);
            send(producer, new Message(topic, bytes(sent.get(i))));
        }
        final List<BlockingQueue<MessageExt>> both = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            final DefaultMQPushConsumer consumer = session.consumer(group, topic, "*");
            // The enumeration lives in another package in each version.
            final var model = consumer.getMessageModel();
            consumer.setMessageModel(Enum.valueOf(model.getDeclaringClass(), "BROADCASTING"));
            both.add(session.receive(consumer));
        }
        for (int i = 20; i < 40; i++) {
            sent.add("m" + i);
            send(producer, new Message(topic, bytes(sent.get(i))));
        }
        for (BlockingQueue<MessageExt> received : both) {
            assertEquals(sorted(sent), sorted(bodies(take(received, sent.size()))));
            assertNull(received.poll());
        }
    }

    /** What matches is sent last: whoever has it has passed everything else of the one queue. */
    private void tagFilter(String expression, List<String> others, List<String> wanted)
        throws Exception {
        final String topic = unique("tags");
        final DefaultMQProducer producer = session.producer(1);
        final List<String> expected = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
            send(producer, new Message(topic, bytes("no tag")));
            for (String tag : others) {
                send(producer, new Message(topic, tag, bytes(tag)));
            }
            for (String tag : wanted) {
                send(producer, new Message(topic, tag, bytes(tag)));
                expected.add(tag);
            }
        }
        final BlockingQueue<MessageExt> received =
            session.receive(session.consumer(unique("group"), topic, expression));
        assertEquals(sorted(expected), sorted(bodies(take(received, expected.size()))));
        send(producer, new Message(topic, others.get(0), bytes(others.get(0))));
        send(producer, new Message(topic, wanted.get(0), bytes(wanted.get(0))));
        assertEquals(wanted.subList(0, 1), bodies(take(received, 1)));
        assertNull(received.poll());
    }

    @Test
    void tagFilter() throws Exception {
        // "Aa" and "BB" have the same hash: the client compares the text.
        tagFilter("TagA || BB", List.of("TagB", "Aa"), List.of("TagA", "BB"));
    }

    @Test
    void tagFilterBeyondAscii() throws Exception {
        tagFilter("größe || 标签", List.of("große", "标"), List.of("größe", "标签"));
    }

    @Test
    void requestReply() throws Exception {
        final String topic = unique("request");
        final DefaultMQProducer producer = session.producer(1);
        final DefaultMQProducer replier = session.producer(1);
        send(producer, new Message(topic, bytes("no request")));
        final DefaultMQPushConsumer consumer = session.consumer(unique("group"), topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            for (MessageExt message : messages) {
                if (text(message).equals("no request")) {
                    continue;
                }
                try {
                    send(replier, MessageUtil.createReplyMessage(message, bytes("answer to " + text(message))));
                } catch (Exception e) {
                    return ConsumeConcurrentlyStatus.RECONSUME_LATER;
                }
            }
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        for (int i = 0; i < 3; i++) {
            // The one form of request() that does not end when the request is sent in the client 5.3.3.
            final CompletableFuture<Message> answer = new CompletableFuture<>();
            producer.request(new Message(topic, bytes("question " + i)), (queues, message, arg) -> queues.get(0), null,
                new RequestCallback() {
                    @Override
                    public void onSuccess(Message message) {
                        answer.complete(message);
                    }

                    @Override
                    public void onException(Throwable e) {
                        answer.completeExceptionally(e);
                    }
                }, 30_000);
            assertEquals("answer to question " + i, text(answer.get(40, TimeUnit.SECONDS)));
        }
    }

    @Test
    void queryByKey() throws Exception {
        final String topic = unique("query");
        final DefaultMQProducer producer = session.producer(2);
        final long begin = System.currentTimeMillis() - 1000;
        SendResult last = null;
        for (int i = 0; i < 10; i++) {
            last = send(producer, new Message(topic, null, "all key" + i % 2, bytes("m" + i)));
        }
        assertEquals(List.of("m1", "m3", "m5", "m7", "m9"), query(producer, topic, "key1", 5, begin));
        assertEquals(10, query(producer, topic, "all", 10, begin).size());
        assertEquals("m9", text(producer.viewMessage(topic, last.getMsgId())), "by the client's id");
        assertEquals("m9", text(producer.viewMessage(topic, last.getOffsetMsgId())), "by position");
    }

    /** The index follows the log: asks until {@code count} are there. */
    private static List<String> query(DefaultMQProducer producer, String topic, String key, int count, long begin)
        throws Exception {
        final long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Session.DEADLINE_SECONDS);
        for (;;) {
            try {
                final QueryResult result =
                    producer.queryMessage(topic, key, 32, begin, System.currentTimeMillis() + 1000);
                if (result.getMessageList().size() >= count || System.nanoTime() > end) {
                    return sorted(bodies(result.getMessageList()));
                }
            } catch (MQClientException e) { // none yet
                if (System.nanoTime() > end) {
                    throw e;
                }
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }
}
