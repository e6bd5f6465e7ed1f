package rmq.interop;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Two name servers and two brokers, each of them killed or stopped in turn while producers with their
 * default retries send and a group consumes: no send fails, and every message is consumed.
 */
@Timeout(300) // Java's servers take up to 30 s to stop.
class FleetTest {
    private static final Duration BACK = Duration.ofSeconds(70);
    private static final int QUEUES = 2; // on each broker
    private static final int SENDS = 1000; // while somebody is away

    private final List<Node> nodes = new ArrayList<>();
    private final Node[] namesrvs = new Node[2];
    private final Node[] brokers = new Node[2];
    private String topic;

    private static String name(int broker) {
        return "broker-" + broker;
    }

    private String namesrvList() {
        return namesrvs[0].address() + ";" + namesrvs[1].address();
    }

    /** Until that name server knows {@code what} on both brokers. */
    private void awaitRoute(Node namesrv, String what) throws InterruptedException {
        Await.until("both brokers at " + namesrv.address(), BACK, () -> Requests.brokersOf(
            what, namesrv.address()).equals(Set.of(name(0), name(1))));
    }

    @BeforeEach
    void startFleet() throws Exception {
        for (int i = 0; i < namesrvs.length; i++) {
            namesrvs[i] = Node.namesrv(Node.Kind.chosen());
            nodes.add(namesrvs[i]);
            namesrvs[i].start();
        }
        for (int i = 0; i < brokers.length; i++) {
            brokers[i] = Node.broker(Node.Kind.chosen(), name(i), namesrvList());
            nodes.add(brokers[i]);
            brokers[i].start();
        }
        for (Node namesrv : namesrvs) {
            awaitRoute(namesrv, "TBW102");
        }
    }

    @AfterEach
    void stopFleet() throws Exception {
        for (Node node : nodes) {
            node.close();
        }
    }

    private Set<String> consume(Clients clients, String group) throws Exception {
        final Set<String> consumed = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < 2; i++) {
            final DefaultMQPushConsumer consumer =
                clients.newPushConsumer(group, MessageModel.CLUSTERING);
            consumer.subscribe(topic, "*");
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                messages.forEach(message -> consumed.add(message.getKeys()));
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            consumer.start();
        }
        return consumed;
    }

    /** A client that starts while somebody is away finds its way; it may have to ask twice. */
    private void sendByANewClient(Set<String> sent, String key) throws Exception {
        try (Clients late = new Clients(namesrvList())) {
            final DefaultMQProducer producer = late.newDefaultProducer();
            producer.start();
            Await.until("a send by a new client", () -> {
                producer.send(new Message(topic, "Tag", key, Bodies.text(key)));
                return sent.add(key);
            });
        }
    }

    private void restart(Node node, Traffic traffic, String what) throws Exception {
        traffic.enter("SIGTERM to " + what);
        assertEquals(0, node.stop(), "exit code of " + what);
        traffic.awaitSends(SENDS);
        traffic.enter(what + " back after SIGTERM");
        node.start();
        for (Node namesrv : namesrvs) {
            awaitRoute(namesrv, topic);
        }
        traffic.awaitBothBrokers();
    }

    @Test
    void noSendFailsAndNothingIsMissedWhileServersGoAndCome() throws Exception {
        try (Clients clients = new Clients(namesrvList())) {
            topic = Clients.unique("fleet");
            clients.startedProducer().createTopic("TBW102", topic, QUEUES, Map.of());
            for (Node namesrv : namesrvs) {
                awaitRoute(namesrv, topic);
            }
            final Set<String> consumed = consume(clients, Clients.unique("group"));
            final Traffic traffic = new Traffic(clients, topic, producer -> { });
            try {
                traffic.start();
                traffic.awaitBothBrokers();
                loseANameServer(traffic);
                loseABroker(traffic);
                for (int i = 0; i < 2; i++) {
                    restart(brokers[i], traffic, "broker " + i);
                }
                for (int i = 0; i < 2; i++) {
                    restart(namesrvs[i], traffic, "name server " + i);
                }
            } finally {
                traffic.finish();
            }
            assertEquals(List.of(), traffic.failures.stream().limit(3).toList(),
                traffic.failures.size() + " sends failed beside " + traffic.sent.size());
            try {
                Await.until("all " + traffic.sent.size() + " messages consumed", BACK,
                    () -> consumed.containsAll(traffic.sent));
            } catch (AssertionError e) {
                final Set<String> missing = new TreeSet<>(traffic.sent);
                missing.removeAll(consumed);
                throw new AssertionError("never consumed: " + missing, e);
            }
        }
        for (Node node : nodes) {
            node.close();
            Server.deleteTree(node.directory);
        }
    }

    private void loseANameServer(Traffic traffic) throws Exception {
        traffic.enter("name server 0 killed");
        namesrvs[0].kill();
        traffic.awaitSends(SENDS);
        sendByANewClient(traffic.sent, "without-a-name-server");
        traffic.enter("name server 0 comes back empty");
        namesrvs[0].deleteData();
        namesrvs[0].start();
        final Instant started = Instant.now();
        awaitRoute(namesrvs[0], topic);
        Measured.print("an empty name server knows all brokers again",
            Duration.between(started, Instant.now()), "Java: up to 30 s");
        traffic.awaitBothBrokers();
    }

    private void loseABroker(Traffic traffic) throws Exception {
        traffic.enter("broker 0 killed");
        brokers[0].kill();
        final Instant killed = Instant.now();
        for (Node namesrv : namesrvs) {
            Await.until("the route without broker 0",
                () -> Requests.brokersOf(topic, namesrv.address()).equals(Set.of(name(1))));
        }
        Measured.print("no name server names a killed broker any more",
            Duration.between(killed, Instant.now()), "Java: at once, by the closed connection");
        traffic.awaitSends(SENDS);
        sendByANewClient(traffic.sent, "without-a-broker");
        traffic.enter("broker 0 comes back");
        brokers[0].start();
        for (Node namesrv : namesrvs) {
            awaitRoute(namesrv, topic);
        }
        traffic.awaitBothBrokers();
    }
}
