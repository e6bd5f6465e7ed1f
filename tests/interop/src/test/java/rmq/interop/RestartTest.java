package rmq.interop;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.HashMap;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Stop and start on the same ports and data; each test has a server of its own. */
@Timeout(200) // The Java broker alone takes up to 30 s to stop.
class RestartTest {
    private static String place(int queueId, long offset) {
        return queueId + ":" + offset;
    }

    private static Map<String, String> send(DefaultMQProducer producer, String topic,
        String prefix, int count) throws Exception {
        final Map<String, String> sent = new HashMap<>();
        for (int i = 0; i < count; i++) {
            final SendResult result =
                producer.send(new Message(topic, "Tag", prefix + i, Bodies.text(prefix + i)));
            sent.put(place(result.getMessageQueue().getQueueId(), result.getQueueOffset()),
                prefix + i);
        }
        return sent;
    }

    private static Map<String, String> found(List<MessageExt> messages) {
        final Map<String, String> found = new HashMap<>();
        for (MessageExt message : messages) {
            assertEquals(message.getKeys(), Bodies.text(message.getBody()));
            found.put(place(message.getQueueId(), message.getQueueOffset()), message.getKeys());
        }
        return found;
    }

    @Test
    void afterSigtermNothingIsLostAndOffsetsAreKept() throws Exception {
        final int count = 400;
        final String group = Clients.unique("group");
        final String topic;
        final Map<String, String> sent;
        final Map<MessageQueue, Long> committed = new HashMap<>();
        // Small segments: the messages lie in more than one.
        try (Server server =
                 Server.create().with("mappedFileSizeCommitLog", Integer.toString(64 << 10))) {
            server.start();
            try (Clients clients = new Clients(server)) {
                final DefaultMQProducer producer = clients.startedProducer();
                topic = clients.newTopic(producer, "restart", 4);
                sent = send(producer, topic, "before", count);
                final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
                clients.startedPushConsumer(
                    group, MessageModel.CLUSTERING, topic, "*", received);
                Await.take("all messages", received, count);
                for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
                    committed.put(queue, producer.maxOffset(queue));
                }
            }
            assertEquals(0, server.stop(), "exit code after SIGTERM");

            server.start();
            try (Clients clients = new Clients(server)) {
                final DefaultMQProducer producer = clients.startedProducer();
                Await.until("route of " + topic,
                    () -> producer.fetchPublishMessageQueues(topic).size() == 4);
                final DefaultLitePullConsumer lookup = clients.startedLitePull(group);
                for (Map.Entry<MessageQueue, Long> entry : committed.entrySet()) {
                    assertEquals(entry.getValue(), lookup.committed(entry.getKey()));
                }
                lookup.shutdown();
                assertEquals(sent, found(clients.readAll(topic, count)));

                // The group goes on where it was: it gets the new messages and no old one.
                final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
                clients.startedPushConsumer(
                    group, MessageModel.CLUSTERING, topic, "*", received);
                final Map<String, String> more =
                    send(producer, topic, "after", 40);
                assertEquals(more, found(Await.take("the new messages", received, 40)));
                assertEquals(List.of(), new ArrayList<>(received));
            }
            server.deleteDataOnClose();
        }
    }

    @Test
    void runningClientsGoOnAfterARestart() throws Exception {
        try (Server server = Server.started()) {
            try (Clients clients = new Clients(server)) {
                final DefaultMQProducer producer = clients.startedProducer();
                final String topic = clients.newTopic(producer, "go-on", 2);
                final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
                clients.startedPushConsumer(
                    Clients.unique("group"), MessageModel.CLUSTERING, topic, "*", received);
                send(producer, topic, "before", 20);
                Await.take("messages before", received, 20);
                assertEquals(0, server.stop());
                server.start();
                Await.until("a send succeeds again", () -> {
                    producer.send(new Message(topic, "Tag", "probe", Bodies.text("probe")));
                    return true;
                });
                final Set<String> wanted =
                    new HashSet<>(send(producer, topic, "after", 20).values());
                while (!wanted.isEmpty()) {
                    wanted.remove(Await.take("messages after", received, 1).get(0).getKeys());
                }
            }
            server.deleteDataOnClose();
        }
    }
}
