package rmq.interop.features;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * The clients of one test; closing shuts them down. RMQ_INTEROP_NAMESRV names the server. Compiles
 * with either version of the client, which keep some classes in different packages.
 */
final class Session implements AutoCloseable {
    static final long DEADLINE_SECONDS = 60;
    private static final AtomicInteger SERIAL = new AtomicInteger();

    private final String namesrv = System.getenv("RMQ_INTEROP_NAMESRV");
    private final Deque<Runnable> shutdowns = new ArrayDeque<>();

    Session() {
        if (namesrv == null) {
            throw new IllegalStateException(
                "RMQ_INTEROP_NAMESRV is not set: run ../run_all.py java4 or java5");
        }
    }

    /** A name that no other test uses, for a topic, a group or an instance. */
    static String unique(String what) {
        return what + "-" + ProcessHandle.current().pid() + "-" + SERIAL.incrementAndGet();
    }

    private <T extends ClientConfig> T configured(T client) {
        client.setNamesrvAddr(namesrv);
        client.setInstanceName(unique("instance"));
        // Routes and heartbeats that follow a change quickly; the values change no message.
        client.setPollNameServerInterval(500);
        client.setHeartbeatBrokerInterval(500);
        return client;
    }

    /** Sends are not retried: a failure must show. A new topic gets {@code queues} queues. */
    DefaultMQProducer producer(int queues) throws MQClientException {
        final DefaultMQProducer producer = configured(new DefaultMQProducer(unique("producers")));
        producer.setDefaultTopicQueueNums(queues);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setRetryTimesWhenSendAsyncFailed(0);
        producer.setSendMsgTimeout(10_000);
        producer.start();
        shutdowns.push(producer::shutdown);
        return producer;
    }

    static SendResult send(DefaultMQProducer producer, Message message) throws Exception {
        final SendResult result = producer.send(message);
        assertEquals(SendStatus.SEND_OK, result.getSendStatus());
        return result;
    }

    /** Not started; begins at the first message. */
    DefaultMQPushConsumer consumer(String group, String topic, String tags) throws Exception {
        final DefaultMQPushConsumer consumer = configured(new DefaultMQPushConsumer(group));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.subscribe(topic, tags);
        shutdowns.push(consumer::shutdown);
        return consumer;
    }

    /** Started; every message goes to the queue. */
    BlockingQueue<MessageExt> receive(DefaultMQPushConsumer consumer) throws Exception {
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            received.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        return received;
    }

    static List<MessageExt> take(BlockingQueue<MessageExt> received, int count) throws Exception {
        final List<MessageExt> taken = new ArrayList<>();
        final long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (taken.size() < count) {
            final MessageExt next =
                received.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
            if (next == null) {
                throw new AssertionError(
                    taken.size() + " of " + count + " messages came: " + bodies(taken));
            }
            taken.add(next);
        }
        return taken;
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(Message message) {
        return new String(message.getBody(), StandardCharsets.UTF_8);
    }

    static List<String> bodies(List<MessageExt> messages) {
        return messages.stream().map(Session::text).toList();
    }

    static List<String> sorted(List<String> texts) {
        return texts.stream().sorted().toList();
    }

    @Override
    public void close() {
        // Together: each takes up to 3 s, most of which a thread of the client sleeps.
        final List<Thread> closers = shutdowns.stream().map(Thread::new).toList();
        closers.forEach(Thread::start);
        for (Thread closer : closers) {
            try {
                closer.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
