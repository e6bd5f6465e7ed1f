package rmq.interop;

import com.alibaba.fastjson.JSON;
import com.alibaba.fastjson.JSONObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Two sets of two brokers under a controller. The master of each is killed, or stands still, while producers send and a group
 * consumes: its slave takes over, no send fails, and every message is consumed.
 */
@Timeout(300)
class FailoverTest {
    private static final int GET_SYNC_STATE_DATA = 1006;
    private static final Duration BACK = Duration.ofSeconds(40);
    private static final int SETS = 2;
    private static final int QUEUES = 2; // of each set
    private static final int SENDS = 600; // while somebody is away

    private final List<Node> nodes = new ArrayList<>();
    private final List<Node> brokers = new ArrayList<>();
    private Node namesrv; // with the controller in it
    private String controller;

    private static String name(int set) {
        return "broker-" + set;
    }

    /** What the controller knows of a set. */
    private JSONObject state(int set) throws Exception {
        final RemotingCommand request = RemotingCommand.createRequestCommand(GET_SYNC_STATE_DATA, null);
        request.setBody(JSON.toJSONString(List.of(name(set))).getBytes(StandardCharsets.UTF_8));
        final RemotingCommand answer = Requests.invoke(controller, request, 2000);
        return JSON.parseObject(new String(answer.getBody(), StandardCharsets.UTF_8)).getJSONObject("replicasInfoTable").getJSONObject(name(set));
    }

    private Node master(int set) throws Exception {
        final String address = state(set).getString("masterAddress");
        return brokers.stream().filter(broker -> broker.address().equals(address)).findFirst().orElseThrow();
    }

    private void awaitInSync(int set, int replicas) throws Exception {
        Await.until(replicas + " replicas of " + name(set) + " in sync", BACK,
            () -> state(set).getJSONArray("inSyncReplicas").size() == replicas);
    }

    @BeforeEach
    void startSets() throws Exception {
        Assumptions.assumeFalse(Server.isJava(), "controller_test.py has RocketMQ's brokers");
        final int port = Server.freePorts(1);
        controller = "127.0.0.1:" + port;
        namesrv = Node.namesrv(Node.Kind.RMQ).with("enableControllerInNamesrv", "true")
            .with("controllerDLegerSelfId", "n0").with("controllerDLegerPeers", "n0-" + controller);
        namesrv.with("controllerStorePath", namesrv.directory.resolve("controller").toString());
        nodes.add(namesrv);
        namesrv.start();
        for (int set = 0; set < SETS; set++) {
            for (int i = 0; i < 2; i++) {
                final Node broker = Node.broker(Node.Kind.RMQ, name(set), namesrv.address())
                    .with("enableControllerMode", "true").with("controllerAddr", controller)
                    .with("brokerRole", "SYNC_MASTER");
                nodes.add(broker);
                brokers.add(broker);
                broker.start();
            }
            awaitInSync(set, 2);
        }
    }

    @AfterEach
    void stopSets() throws Exception {
        for (Node node : nodes) {
            node.close();
        }
    }

    private Set<String> consume(Clients clients, String topic) throws Exception {
        final Set<String> consumed = ConcurrentHashMap.newKeySet();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(Clients.unique("group"), MessageModel.CLUSTERING);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            messages.forEach(message -> consumed.add(message.getKeys()));
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        return consumed;
    }

    private interface Step {
        void take(Node master) throws Exception;
    }

    private void signal(String signal, Node broker) throws Exception {
        final String pid = Long.toString(broker.process().pid());
        assertEquals(0, new ProcessBuilder("kill", signal, pid).start().waitFor());
    }

    /** Each set loses its master in turn, twice. */
    private void failOver(Consumer<DefaultMQProducer> settings, Step lose, Step bringBack) throws Exception {
        try (Clients clients = new Clients(namesrv.address())) {
            final String topic = Clients.unique("failover");
            clients.startedProducer().createTopic("TBW102", topic, QUEUES, Map.of());
            Await.until("a route", () -> Requests.brokersOf(topic, namesrv.address()).equals(Set.of(name(0), name(1))));
            final Set<String> consumed = consume(clients, topic);
            final Traffic traffic = new Traffic(clients, topic, settings);
            try {
                traffic.start();
                traffic.awaitBothBrokers();
                for (int i = 0; i < 2 * SETS; i++) {
                    final int set = i % SETS;
                    final Node master = master(set);
                    traffic.enter("the master of " + name(set) + " is away");
                    lose.take(master);
                    awaitInSync(set, 1);
                    traffic.awaitSends(SENDS);
                    traffic.enter("the old master of " + name(set) + " is back");
                    bringBack.take(master);
                    awaitInSync(set, 2);
                    traffic.awaitBothBrokers();
                }
            } finally {
                traffic.finish();
            }
            assertEquals(List.of(), traffic.failures.stream().limit(3).toList(),
                traffic.failures.size() + " sends failed beside " + traffic.sent.size());
            Await.until("all " + traffic.sent.size() + " messages consumed", BACK, () -> consumed.containsAll(traffic.sent));
        }
        for (Node node : nodes) {
            node.close();
            Server.deleteTree(node.directory);
        }
    }

    @Test
    void noSendFailsWhenMastersAreKilled() throws Exception {
        failOver(producer -> { }, Node::kill, Node::start);
    }

    @Test
    void noSendFailsWhenMastersStandStill() throws Exception {
        failOver(producer -> producer.setSendMsgMaxTimeoutPerRequest(500), master -> signal("-STOP", master),
            master -> signal("-CONT", master));
    }
}
