package rmq.interop;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * One store that Java and rmq serve in turn while delayed messages wait in it: each delivers what
 * the other has left, and nothing that it had delivered. Needs the jars of the Java server.
 */
@EnabledIfEnvironmentVariable(named = "RMQ_INTEROP_SERVER", matches = "java")
@Timeout(400)
class DelayHandOverTest {
    private static final String SEGMENT_BYTES = Integer.toString(64 << 20);

    private final List<String> expected = new ArrayList<>();

    private void send(DefaultMQProducer producer, String topic, String prefix, int level)
        throws Exception {
        for (int i = 0; i < 5; i++) {
            final Message message = new Message(topic, Bodies.text(prefix + i));
            message.setDelayTimeLevel(level);
            producer.send(message);
            expected.add(prefix + i);
        }
    }

    private void assertDelivered(Clients clients, DefaultMQProducer producer, String topic)
        throws Exception {
        Await.until("route of " + topic,
            () -> producer.fetchPublishMessageQueues(topic).size() == 1);
        final List<String> bodies = new ArrayList<>();
        for (MessageExt message : clients.readAll(topic, expected.size())) {
            bodies.add(Bodies.text(message.getBody()));
        }
        assertEquals(expected, bodies);
    }

    @Test
    void delayedMessagesChangeHands() throws Exception {
        final Server rmq = new RmqServer().with("mappedFileSizeCommitLog", SEGMENT_BYTES);
        final Path store = rmq.directory.resolve("data/store");
        Files.createDirectories(store);
        final String topic;
        try (Server java = new JavaServer().with("storePathRootDir", store.toString())
                 .with("storePathCommitLog", store.resolve("commitlog").toString()); rmq) {
            java.start();
            try (Clients clients = new Clients(java)) {
                final DefaultMQProducer producer = clients.startedProducer();
                topic = clients.newTopic(producer, "hand-over", 1);
                send(producer, topic, "java-early", 1);
                assertDelivered(clients, producer, topic);
                send(producer, topic, "java-late", 2);
            }
            assertEquals(0, java.stop());

            rmq.start();
            try (Clients clients = new Clients(rmq)) {
                final DefaultMQProducer producer = clients.startedProducer();
                assertDelivered(clients, producer, topic);
                send(producer, topic, "rmq-early", 1);
                assertDelivered(clients, producer, topic);
                send(producer, topic, "rmq-late", 2);
            }
            assertEquals(0, rmq.stop());

            java.start();
            try (Clients clients = new Clients(java)) {
                final DefaultMQProducer producer = clients.startedProducer();
                assertDelivered(clients, producer, topic);
                send(producer, topic, "java-again", 1);
                assertDelivered(clients, producer, topic);
            }
            assertEquals(0, java.stop());

            rmq.start();
            try (Clients clients = new Clients(rmq)) {
                final DefaultMQProducer producer = clients.startedProducer();
                send(producer, topic, "rmq-again", 1);
                assertDelivered(clients, producer, topic);
            }
            assertEquals(0, rmq.stop());
            java.deleteDataOnClose();
            rmq.deleteDataOnClose();
        }
    }
}
