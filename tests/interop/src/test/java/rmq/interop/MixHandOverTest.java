package rmq.interop;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * One cluster of a Java broker and an rmq broker, both registered with a Java name server and an rmq
 * name server. Needs the jars of the Java server.
 */
@EnabledIfEnvironmentVariable(named = "RMQ_INTEROP_SERVER", matches = "java")
@Timeout(200)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class) // The last waits for what the first began.
class MixHandOverTest {
    private static final String JAVA = "broker-java";
    private static final String RMQ = "broker-rmq";
    private static final Set<String> BOTH = Set.of(JAVA, RMQ);
    private static final int QUEUES = 2; // on each broker
    // A name server forgets a broker that it has not heard of for so long.
    private static final Duration EXPIRY = Duration.ofSeconds(120);
    private static final String ACTING = "broker-acting";

    private static Node rmqNames;
    private static Node javaNames;
    private static Node rmqBroker;
    private static Node javaBroker;
    private static Instant registered;

    private static List<Node> namesrvs() {
        return List.of(rmqNames, javaNames);
    }

    private static void awaitBrokers(String topic, Set<String> brokers)
        throws InterruptedException {
        for (Node namesrv : namesrvs()) {
            Await.until(brokers + " at " + namesrv.address(), Duration.ofSeconds(70),
                () -> Requests.brokersOf(topic, namesrv.address()).equals(brokers));
        }
    }

    @BeforeAll
    static void startAll() throws Exception {
        rmqNames = Node.namesrv(Node.Kind.RMQ).with("scanNotActiveBrokerInterval", "500");
        javaNames = Node.namesrv(Node.Kind.JAVA).with("scanNotActiveBrokerInterval", "500");
        rmqNames.start();
        javaNames.start();
        final String both = rmqNames.address() + ";" + javaNames.address();
        rmqBroker = Node.broker(Node.Kind.RMQ, RMQ, both)
            .with("registerNameServerPeriod", "60000");
        javaBroker = Node.broker(Node.Kind.JAVA, JAVA, both)
            .with("registerNameServerPeriod", "60000");
        rmqBroker.start();
        javaBroker.start();
        awaitBrokers("TBW102", BOTH);
        registered = Instant.now();
    }

    @AfterAll
    static void stopAll() throws Exception {
        for (Node node : new Node[] {rmqBroker, javaBroker, rmqNames, javaNames}) {
            if (node != null) {
                node.close();
                Server.deleteTree(node.directory);
            }
        }
    }

    private static String createTopic(DefaultMQProducer producer) throws Exception {
        final String topic = Clients.unique("mix");
        producer.createTopic("TBW102", topic, QUEUES, Map.of());
        awaitBrokers(topic, BOTH);
        return topic;
    }

    /** To each queue that the client sees; all of it comes out again. */
    private static void sendAndConsume(Clients clients, DefaultMQProducer producer, String topic,
        Set<String> brokers) throws Exception {
        Await.until("queues of " + brokers, () ->
            producer.fetchPublishMessageQueues(topic).size() == QUEUES * brokers.size());
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        clients.startedPushConsumer(
            Clients.unique("group"), MessageModel.CLUSTERING, topic, "*", received);
        final Set<String> used = new HashSet<>();
        final Set<String> wanted = new HashSet<>();
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            // The client polls routes: a broker that came back may be unknown to it for a moment.
            final String first = Clients.unique(queue.getBrokerName());
            Await.until("the client knows " + queue.getBrokerName(), () -> producer.send(
                new Message(topic, "Tag", first, Bodies.text(first)), queue) != null);
            wanted.add(first);
            for (int i = 1; i < 10; i++) {
                final String key = Clients.unique(queue.getBrokerName());
                producer.send(new Message(topic, "Tag", key, Bodies.text(key)), queue);
                wanted.add(key);
            }
            used.add(queue.getBrokerName());
        }
        assertEquals(brokers, used);
        while (!wanted.isEmpty()) {
            wanted.remove(Await.take("a message", received, 1).get(0).getKeys());
        }
    }

    @Test
    @Order(2)
    void clientsWorkThroughEitherNameServer() throws Exception {
        for (Node namesrv : namesrvs()) {
            try (Clients clients = new Clients(namesrv.address())) {
                final DefaultMQProducer producer = clients.startedProducer();
                final String topic = createTopic(producer);
                sendAndConsume(clients, producer, topic, BOTH);
                final TopicRouteData java = Requests.route(topic, javaNames.address());
                final TopicRouteData rmq = Requests.route(topic, rmqNames.address());
                assertEquals(new HashSet<>(java.getQueueDatas()),
                    new HashSet<>(rmq.getQueueDatas()));
                assertEquals(new HashSet<>(java.getBrokerDatas()),
                    new HashSet<>(rmq.getBrokerDatas()));
            }
        }
        assertEquals(Requests.cluster(javaNames.address()), Requests.cluster(rmqNames.address()));
    }

    @Test
    @Order(1)
    void aKilledBrokerLosesItsRouteUntilItIsBack() throws Exception {
        try (Clients clients = new Clients(rmqNames.address())) {
            final DefaultMQProducer producer = clients.startedProducer();
            final String topic = createTopic(producer);
            for (Node broker : List.of(javaBroker, rmqBroker)) {
                final String other = broker == javaBroker ? RMQ : JAVA;
                broker.kill();
                final Instant killed = Instant.now();
                awaitBrokers(topic, Set.of(other));
                Measured.print("both name servers drop the killed "
                    + (broker == javaBroker ? JAVA : RMQ),
                    Duration.between(killed, Instant.now()), "by the closed connection, at once");
                sendAndConsume(clients, producer, topic, Set.of(other));
                broker.start();
                awaitBrokers(topic, BOTH);
                sendAndConsume(clients, producer, topic, BOTH);
            }
        }
        registered = Instant.now();
    }

    /** Both brokers say every 60 s that they are there: what is said once is forgotten by then. */
    @Test
    @Order(4)
    void whatBrokersRepeatKeepsThemRegistered() throws Exception {
        final Instant end = registered.plus(EXPIRY).plusSeconds(3);
        do {
            for (Node namesrv : namesrvs()) {
                assertEquals(BOTH, Requests.brokersOf("TBW102", namesrv.address()),
                    "at " + namesrv.address());
            }
            TimeUnit.SECONDS.sleep(1);
        } while (Instant.now().isBefore(end));
    }

    private static void signal(Node node, String signal) throws Exception {
        assertEquals(0, new ProcessBuilder(
            "kill", "-" + signal, Long.toString(node.process().pid())).start().waitFor());
    }

    /** With enableSlaveActingMaster a Java broker sends BROKER_HEARTBEAT and names its own expiry. */
    @Test
    @Order(3)
    void heartbeatsKeepAJavaBrokerAndSilenceEndsIt() throws Exception {
        final Duration expiry = Duration.ofSeconds(3);
        try (Node broker = Node.broker(Node.Kind.JAVA, ACTING,
                 rmqNames.address() + ";" + javaNames.address())
                 .with("brokerClusterName", "acting")
                 .with("enableSlaveActingMaster", "true")
                 .with("brokerHeartbeatInterval", "500")
                 .with("brokerNotActiveTimeoutMillis", Long.toString(expiry.toMillis()))
                 .with("registerNameServerPeriod", "60000")) {
            broker.start();
            awaitBrokers(ACTING, Set.of(ACTING)); // A broker registers its name as a topic.
            for (Instant end = Instant.now().plus(expiry.multipliedBy(3));
                 Instant.now().isBefore(end); TimeUnit.MILLISECONDS.sleep(100)) {
                for (Node namesrv : namesrvs()) {
                    assertEquals(Set.of(ACTING),
                        Requests.brokersOf(ACTING, namesrv.address()));
                }
            }
            signal(broker, "STOP");
            final Instant silent = Instant.now();
            try {
                for (Node namesrv : List.of(rmqNames, javaNames)) {
                    Await.until("the silent broker to be forgotten by " + namesrv.address(),
                        () -> Requests.brokersOf(ACTING, namesrv.address()).isEmpty());
                    Measured.print("a silent broker is forgotten by the name server of "
                        + (namesrv == rmqNames ? "rmq" : "Java"),
                        Duration.between(silent, Instant.now()), "it asked for 3 s");
                }
            } finally {
                signal(broker, "CONT");
            }
            awaitBrokers(ACTING, Set.of(ACTING));
            broker.kill();
            Server.deleteTree(broker.directory);
        }
    }
}
