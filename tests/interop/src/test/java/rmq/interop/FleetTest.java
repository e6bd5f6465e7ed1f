package rmq.interop;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Two name servers and two brokers, each of them killed or stopped in turn while a producer with its
 * default retries sends and a group consumes: no send fails, and every message is consumed.
 */
@Timeout(300) // Java's servers take up to 30 s to stop.
class FleetTest {
    private static final Duration BACK = Duration.ofSeconds(70);
    private static final int QUEUES = 2; // on each broker
    private static final int SENDS = 300; // while somebody is away

    private final List<Node> nodes = new ArrayList<>();
    private final Node[] namesrvs = new Node[2];
    private final Node[] brokers = new Node[2];
    private String topic;

    /** Sends one message after the other until it is told to stop. */
    private static final class Traffic extends Thread {
        final Set<String> sent = ConcurrentHashMap.newKeySet();
        final List<String> failures = new ArrayList<>();
        final Map<String, AtomicLong> byBroker = new ConcurrentHashMap<>();
        private final DefaultMQProducer producer;
        private final String topic;
        private volatile String step = "before";
        private volatile boolean stopped;

        Traffic(DefaultMQProducer producer, String topic) {
            super("traffic");
            this.producer = producer;
            this.topic = topic;
        }

        @Override
        public void run() {
            for (int i = 0; !stopped; i++) {
                final String key = "m" + i;
                final String during = step;
                try {
                    final SendResult result =
                        producer.send(new Message(topic, "Tag", key, Bodies.text(key)));
                    if (result.getSendStatus() != SendStatus.SEND_OK) {
                        throw new IllegalStateException(result.toString());
                    }
                    sent.add(key);
                    byBroker.computeIfAbsent(result.getMessageQueue().getBrokerName(),
                        name -> new AtomicLong()).incrementAndGet();
                    TimeUnit.MILLISECONDS.sleep(2);
                } catch (Exception e) {
                    failures.add(during + ", " + key + ": " + e);
                }
            }
        }

        void enter(String what) {
            step = what;
        }

        private long sendsTo(int broker) {
            final AtomicLong count = byBroker.get(name(broker));
            return count == null ? 0 : count.get();
        }

        /** Until that many more have succeeded. */
        void awaitSends(int count) throws InterruptedException {
            final int wanted = sent.size() + count;
            Await.until(count + " sends", BACK, () -> sent.size() >= wanted);
        }

        /** Until the producer uses both brokers, again. */
        void awaitBothBrokers() throws InterruptedException {
            final long first = sendsTo(0);
            final long second = sendsTo(1);
            Await.until("sends to both brokers", BACK,
                () -> sendsTo(0) > first && sendsTo(1) > second);
        }

        void finish() throws InterruptedException {
            stopped = true;
            join();
        }
    }

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
            final DefaultMQProducer producer = clients.newDefaultProducer();
            producer.start();
            topic = Clients.unique("fleet");
            producer.createTopic("TBW102", topic, QUEUES, Map.of());
            for (Node namesrv : namesrvs) {
                awaitRoute(namesrv, topic);
            }
            final Set<String> consumed = consume(clients, Clients.unique("group"));
            final Traffic traffic = new Traffic(producer, topic);
            traffic.start();
            try {
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
            final int failed = traffic.failures.size();
            assertEquals(List.of(), traffic.failures.subList(0, Math.min(failed, 3)),
                failed + " sends failed beside " + traffic.sent.size());
            Await.until("all " + traffic.sent.size() + " messages consumed", BACK,
                () -> consumed.containsAll(traffic.sent));
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
