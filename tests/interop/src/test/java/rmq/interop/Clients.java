package rmq.interop;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** The Java clients of one test; closing shuts them all down. */
final class Clients implements AutoCloseable {
    private static final AtomicInteger SERIAL = new AtomicInteger();
    private static final Executor CLOSERS = Executors.newCachedThreadPool(task -> {
        final Thread thread = new Thread(task, "closer");
        thread.setDaemon(true);
        return thread;
    });
    private static final String RUN = Long.toString(System.currentTimeMillis(), 36);

    private final String namesrv;
    private final List<Runnable> shutdowns = new ArrayList<>();

    Clients(Server server) {
        this(server.namesrv());
    }

    Clients(String namesrv) {
        this.namesrv = namesrv;
    }

    /** A name that no other test uses, for a topic or a group. */
    static String unique(String what) {
        return what + "-" + RUN + "-" + ProcessHandle.current().pid() + "-"
            + SERIAL.incrementAndGet();
    }

    private <T extends ClientConfig> T configured(T client) {
        client.setNamesrvAddr(namesrv);
        client.setInstanceName(unique("instance"));
        // Routes and heartbeats that follow a change quickly; the values change no message.
        client.setPollNameServerInterval(1000);
        client.setHeartbeatBrokerInterval(1000);
        return client;
    }

    private <T extends DefaultMQProducer> T producer(T producer) {
        configured(producer);
        producer.setSendMsgTimeout(10_000);
        producer.setRetryTimesWhenSendFailed(0);
        producer.setRetryTimesWhenSendAsyncFailed(0);
        shutdowns.add(producer::shutdown);
        return producer;
    }

    /** Not started. Sends are not retried: a failure must show. */
    DefaultMQProducer newProducer() {
        return producer(new DefaultMQProducer(unique("producers")));
    }

    /** Not started. As it is by default, except that it follows routes quickly. */
    DefaultMQProducer newDefaultProducer() {
        final DefaultMQProducer producer =
            configured(new DefaultMQProducer(unique("producers")));
        producer.setHeartbeatBrokerInterval(30_000);
        shutdowns.add(producer::shutdown);
        return producer;
    }

    /** Not started. */
    TransactionMQProducer newTransactionProducer() {
        return producer(new TransactionMQProducer(unique("producers")));
    }

    DefaultMQProducer startedProducer() throws MQClientException {
        final DefaultMQProducer producer = newProducer();
        producer.start();
        return producer;
    }

    /** Creates a topic by the administrative request and waits until its route is known. */
    String newTopic(DefaultMQProducer admin, String name, int queues) throws Exception {
        final String topic = unique(name);
        admin.createTopic("TBW102", topic, queues, Map.of());
        Await.until("route of " + topic,
            () -> admin.fetchPublishMessageQueues(topic).size() == queues);
        return topic;
    }

    /** Not started, nothing subscribed; begins at the first message. */
    DefaultMQPushConsumer newPushConsumer(String group, MessageModel model) {
        final DefaultMQPushConsumer consumer = configured(new DefaultMQPushConsumer(group));
        consumer.setMessageModel(model);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        // What was received is consumed and committed before the consumer leaves.
        consumer.setAwaitTerminationMillisWhenShutdown(10_000);
        shutdowns.add(consumer::shutdown);
        return consumer;
    }

    /** Subscribed and running; every message goes to {@code received}. */
    DefaultMQPushConsumer startedPushConsumer(String group, MessageModel model, String topic,
        String tags, BlockingQueue<MessageExt> received) throws MQClientException {
        final DefaultMQPushConsumer consumer = newPushConsumer(group, model);
        consumer.subscribe(topic, tags);
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            received.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        return consumer;
    }

    /** Started; nothing assigned, nothing committed by itself. */
    DefaultLitePullConsumer startedLitePull(String group) throws MQClientException {
        return startedLitePull(group, true);
    }

    private DefaultLitePullConsumer startedLitePull(String group, boolean unpack)
        throws MQClientException {
        final DefaultLitePullConsumer consumer = configured(new DefaultLitePullConsumer(group));
        consumer.setDecodeDecompressBody(unpack);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setAutoCommit(false);
        consumer.start();
        shutdowns.add(consumer::shutdown);
        return consumer;
    }

    /** Reads a topic from its beginning until {@code count} messages are there. */
    List<MessageExt> readAll(String topic, int count) throws Exception {
        return readAll(startedLitePull(unique("readers")), topic, count);
    }

    /** The first message of a topic, its body as it was sent over the wire. */
    List<MessageExt> readPacked(String topic) throws Exception {
        return readAll(startedLitePull(unique("readers"), false), topic, 1);
    }

    private static List<MessageExt> readAll(DefaultLitePullConsumer consumer, String topic,
        int count) throws Exception {
        // A new group begins at the first message. No seek: it interrupts the pull that is under way,
        // upon which this client closes its connection, and the next seek may find it closed.
        consumer.assign(consumer.fetchMessageQueues(topic));
        return poll(consumer, count);
    }

    /** Polls until {@code count} messages came; in order of queue and offset. */
    static List<MessageExt> poll(DefaultLitePullConsumer consumer, int count) throws Exception {
        final List<MessageExt> messages = new ArrayList<>();
        Await.until(count + " messages", () -> {
            messages.addAll(consumer.poll(100));
            return messages.size() >= count;
        });
        messages.sort(Comparator.comparingInt(MessageExt::getQueueId)
            .thenComparingLong(MessageExt::getQueueOffset));
        return messages;
    }

    @Override
    public void close() {
        // Together: each takes up to 3 s, most of which a thread of the client sleeps.
        CompletableFuture.allOf(shutdowns.stream().map(s -> CompletableFuture.runAsync(s, CLOSERS))
            .toArray(CompletableFuture[]::new)).join();
        shutdowns.clear();
    }
}
