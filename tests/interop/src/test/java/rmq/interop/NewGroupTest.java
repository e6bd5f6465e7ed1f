package rmq.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A new group that consumes from the last offset while messages are sent: what was sent after
 * {@code start()} returned is not skipped. The queues have lost their first messages, where Java's
 * broker knows no offset for such a group, and messages are skipped.
 */
@Timeout(300)
class NewGroupTest {
    private static final int GROUPS = 200;
    private static final int TOGETHER = 20;
    private static final int WATCHED = 40;
    private static final int QUEUES = 4;

    /** Sends without a pause; knows when each acknowledged message was begun. */
    private static final class Sender implements AutoCloseable {
        private final ConcurrentSkipListMap<Long, String> begun = new ConcurrentSkipListMap<>();
        private final AtomicBoolean stopped = new AtomicBoolean();
        private final Thread thread;
        private volatile Exception failure;

        Sender(DefaultMQProducer producer, String topic) {
            thread = new Thread(() -> {
                try {
                    for (int i = 0; !stopped.get(); i++) {
                        final String name = "m" + i;
                        final long at = System.nanoTime();
                        producer.send(new Message(topic, "Tag", name, Bodies.text(name)));
                        begun.put(at, name);
                        TimeUnit.MILLISECONDS.sleep(2);
                    }
                } catch (Exception e) {
                    failure = e;
                }
            }, "sender");
            thread.start();
        }

        /** The first messages whose send began after {@code since}, once there are so many. */
        List<String> after(long since) throws InterruptedException {
            Await.until("messages after a start",
                () -> failure != null || begun.tailMap(since).size() >= WATCHED);
            if (failure != null) {
                throw new AssertionError("a send failed", failure);
            }
            return begun.tailMap(since).values().stream().limit(WATCHED).toList();
        }

        @Override
        public void close() throws InterruptedException {
            stopped.set(true);
            thread.join();
        }
    }

    /** Removes the first half of the log, as retention does. The server is stopped. */
    private static void dropFirstSegments(Server server) throws IOException {
        final List<Path> segments;
        try (Stream<Path> all = Files.walk(server.directory)) {
            segments = all.filter(path -> path.getParent().endsWith("commitlog"))
                .filter(Files::isRegularFile).sorted().toList();
        }
        assertTrue(segments.size() >= 4, "too few segments: " + segments);
        for (Path path : segments.subList(0, segments.size() / 2)) {
            Files.delete(path);
        }
    }

    private static final class Started {
        final Set<String> received = ConcurrentHashMap.newKeySet();
        long at;
    }

    private static Started start(Clients clients, String topic) throws Exception {
        final Started started = new Started();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(Clients.unique("group"), MessageModel.CLUSTERING);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET);
        consumer.setConsumeThreadMin(1);
        consumer.setConsumeThreadMax(1);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> started.received.add(message.getKeys()));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        started.at = System.nanoTime();
        return started;
    }

    @Test
    void skipsNothingThatIsSentAfterItStarted() throws Exception {
        try (Server server =
                 Server.create().with("mappedFileSizeCommitLog", Integer.toString(64 << 10))) {
            server.start();
            final String topic;
            try (Clients clients = new Clients(server)) {
                final DefaultMQProducer producer = clients.startedProducer();
                topic = clients.newTopic(producer, "new-group", QUEUES);
                for (int i = 0; i < 1200; i++) {
                    producer.send(new Message(topic, "Tag", "old" + i, Bodies.text("old" + i)));
                }
            }
            server.stop();
            dropFirstSegments(server);
            server.start();
            try (Clients senders = new Clients(server)) {
                final DefaultMQProducer producer = senders.startedProducer();
                Await.until("route of " + topic,
                    () -> producer.fetchPublishMessageQueues(topic).size() == QUEUES);
                for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
                    assertTrue(producer.minOffset(queue) > 0, "first messages are there: " + queue);
                }
                try (Sender sender = new Sender(producer, topic)) {
                    for (int i = 0; i < GROUPS; i += TOGETHER) {
                        watchSome(server, topic, sender);
                    }
                }
            }
            server.deleteDataOnClose();
        }
    }

    private static void watchSome(Server server, String topic, Sender sender) throws Exception {
        try (Clients clients = new Clients(server)) {
            final List<Started> all = new ArrayList<>();
            for (int i = 0; i < TOGETHER; i++) {
                all.add(start(clients, topic));
            }
            for (Started one : all) {
                final Set<String> missing = new TreeSet<>(sender.after(one.at));
                try {
                    Await.until("all messages", () -> one.received.containsAll(missing));
                } catch (AssertionError e) {
                    missing.removeAll(one.received);
                    assertEquals(Set.of(), missing, "skipped");
                }
                assertTrue(one.received.stream().noneMatch(name -> name.startsWith("old")),
                    "messages from before the start: " + one.received.size());
            }
        }
    }
}
