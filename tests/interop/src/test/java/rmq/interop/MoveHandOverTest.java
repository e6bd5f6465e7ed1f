package rmq.interop;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * scripts/move-broker.sh takes both brokers of a live Java cluster to rmq, one after the other, while producers send and a group
 * consumes: no send fails, and every message is consumed.
 */
@EnabledIfEnvironmentVariable(named = "RMQ_INTEROP_SERVER", matches = "java")
@Timeout(300)
class MoveHandOverTest {
    private static final Duration BACK = Duration.ofSeconds(70);
    private static final int SENDS = 1000;

    private final List<Node> nodes = new ArrayList<>();
    private final List<ProcessHandle> moved = new ArrayList<>();

    @AfterEach
    void stopAll() throws Exception {
        moved.forEach(ProcessHandle::destroyForcibly);
        for (Node node : nodes) {
            node.close();
        }
    }

    private static String name(int broker) {
        return "broker-" + broker;
    }

    private Node started(Node node) throws Exception {
        nodes.add(node);
        node.start();
        return node;
    }

    /** The script ends when rmq serves the broker's store. */
    private void move(Node broker, int number) throws Exception {
        final Path run = broker.directory.resolve("run");
        final ProcessBuilder script = new ProcessBuilder("../../scripts/move-broker.sh", broker.directory.resolve("broker.conf").toString(),
            "--pid", Long.toString(broker.process().pid()), "--quiet", "3");
        script.environment().put("RMQ_RUN", run.toString());
        script.environment().putIfAbsent("RMQ_BIN", Path.of("../../build/release/rmq").toAbsolutePath().toString());
        final Path log = broker.directory.resolve("move.log");
        final Process process = script.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        final boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        assertEquals(0, ended ? process.exitValue() : -1, Files.readString(log));
        final String pid = Files.readString(run.resolve(name(number) + ".pid")).trim();
        moved.add(ProcessHandle.of(Long.parseLong(pid)).orElseThrow());
    }

    @Test
    void aLiveClusterIsMovedBrokerByBroker() throws Exception {
        final Node namesrv = started(Node.namesrv(Node.Kind.JAVA));
        final List<Node> brokers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            brokers.add(started(Node.broker(Node.Kind.JAVA, name(i), namesrv.address())));
        }
        try (Clients clients = new Clients(namesrv.address())) {
            final String topic = Clients.unique("move");
            final Set<String> both = Set.of(name(0), name(1));
            Await.until("both brokers", BACK, () -> Requests.brokersOf("TBW102", namesrv.address()).equals(both));
            clients.startedProducer().createTopic("TBW102", topic, 2, Map.of());
            Await.until("a route", BACK, () -> Requests.brokersOf(topic, namesrv.address()).equals(both));
            final Set<String> consumed = ConcurrentHashMap.newKeySet();
            final DefaultMQPushConsumer consumer = clients.newPushConsumer(Clients.unique("group"), MessageModel.CLUSTERING);
            consumer.subscribe(topic, "*");
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                messages.forEach(message -> consumed.add(message.getKeys()));
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            consumer.start();
            final Traffic traffic = new Traffic(clients, topic, producer -> { });
            try {
                traffic.start();
                traffic.awaitBothBrokers();
                for (int i = 0; i < brokers.size(); i++) {
                    traffic.enter(name(i) + " moves");
                    move(brokers.get(i), i);
                    traffic.enter(name(i) + " has moved");
                    traffic.awaitSends(SENDS);
                    traffic.awaitBothBrokers();
                }
            } finally {
                traffic.finish();
            }
            assertEquals(List.of(), traffic.failures.stream().limit(3).toList(),
                traffic.failures.size() + " sends failed beside " + traffic.sent.size());
            Await.until("all " + traffic.sent.size() + " messages consumed", BACK, () -> consumed.containsAll(traffic.sent));
        }
        stopAll();
        for (Node node : nodes) {
            Server.deleteTree(node.directory);
        }
    }
}
