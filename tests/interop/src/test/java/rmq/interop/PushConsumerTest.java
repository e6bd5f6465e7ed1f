package rmq.interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Push consumers: long polling, tag filter, group membership, queue locks, stored offsets. */
class PushConsumerTest extends ServerTest {
    private static Set<MessageQueue> held(DefaultMQPushConsumer consumer, String topic) {
        return consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable()
            .keySet().stream().filter(queue -> queue.getTopic().equals(topic))
            .collect(Collectors.toSet());
    }

    private static List<String> sorted(List<MessageExt> messages) {
        return messages.stream().map(m -> Bodies.text(m.getBody())).sorted().toList();
    }

    /**
     * To every queue: messages with tags A, B, C and none, ending with a C: as a queue is read in
     * order, whoever has all that match has passed all that do not.
     */
    private static List<String> sendTagged(DefaultMQProducer producer, String topic,
        Set<String> wanted) throws Exception {
        final List<String> matching = new ArrayList<>();
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            for (int i = 0; i < 16; i++) {
                final String tag = new String[] {"TagA", "TagB", null, "TagC"}[i % 4];
                final String body = tag + "-" + queue.getQueueId() + "-" + i;
                producer.send(new Message(topic, tag, Bodies.text(body)), queue);
                if (tag != null && wanted.contains(tag)) {
                    matching.add(body);
                }
            }
        }
        matching.sort(null);
        return matching;
    }

    @Test
    void clusteringWithTagFilter() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "clustering", 4);
        final String group = Clients.unique("group");
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer first = clients.startedPushConsumer(
            group, MessageModel.CLUSTERING, topic, "TagA || TagC", received);
        final DefaultMQPushConsumer second = clients.startedPushConsumer(
            group, MessageModel.CLUSTERING, topic, "TagA || TagC", received);
        Await.until("two queues for each consumer",
            () -> held(first, topic).size() == 2 && held(second, topic).size() == 2);

        final List<String> matching = sendTagged(producer, topic, Set.of("TagA", "TagC"));
        final List<MessageExt> messages =
            Await.take("messages of TagA and TagC", received, matching.size());
        assertEquals(matching, sorted(messages), "each once, in one of the two");
        assertNull(received.poll());

        // Whoever stays takes over all queues.
        second.shutdown();
        Await.until("four queues for the one that stayed", () -> held(first, topic).size() == 4);
        final List<String> more = sendTagged(producer, topic, Set.of("TagA", "TagC"));
        final Set<String> again = new HashSet<>();
        while (!again.containsAll(more)) {
            again.add(Bodies.text(
                Await.take("messages after the take-over", received, 1).get(0).getBody()));
        }
    }

    @Test
    void broadcastingWithTagFilter() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "broadcasting", 4);
        final String group = Clients.unique("group");
        final List<BlockingQueue<MessageExt>> received = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            received.add(new LinkedBlockingQueue<>());
            final DefaultMQPushConsumer consumer = clients.startedPushConsumer(
                group, MessageModel.BROADCASTING, topic, "TagC", received.get(i));
            Await.until("all queues for each consumer", () -> held(consumer, topic).size() == 4);
        }
        final List<String> matching = sendTagged(producer, topic, Set.of("TagC"));
        for (BlockingQueue<MessageExt> one : received) {
            assertEquals(matching, sorted(Await.take("messages of TagC", one, matching.size())),
                "each consumer gets each");
            assertNull(one.poll());
        }
    }

    @Test
    void orderly() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "orderly", 4);
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(Clients.unique("group"), MessageModel.CLUSTERING);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
            received.addAll(messages);
            return ConsumeOrderlyStatus.SUCCESS;
        });
        consumer.start();
        for (int i = 0; i < 200; i++) {
            producer.send(new Message(topic, Bodies.text("m" + i)));
        }
        final Map<Integer, Long> next = new HashMap<>();
        for (MessageExt message : Await.take("all messages", received, 200)) {
            assertEquals(next.getOrDefault(message.getQueueId(), 0L), message.getQueueOffset());
            next.put(message.getQueueId(), message.getQueueOffset() + 1);
        }
    }

    @Test
    void aHeldPullIsAnsweredByTheNextMessage() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "long-poll", 1);
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        clients.startedPushConsumer(
            Clients.unique("group"), MessageModel.CLUSTERING, topic, "*", received);
        producer.send(new Message(topic, Bodies.text("first")));
        Await.take("first message", received, 1);
        // From here on every message finds the consumer waiting. Were a held pull only answered
        // when its time is up (15 s), or by a sweep, ten of them would not fit the deadline.
        final long start = System.nanoTime();
        for (int i = 0; i < 10; i++) {
            producer.send(new Message(topic, Bodies.text("next" + i)));
            final MessageExt message = Await.take("next message", received, 1).get(0);
            assertEquals("next" + i, Bodies.text(message.getBody()));
        }
        assertTrue(System.nanoTime() - start < 10_000_000_000L, "woken by arrival, not by a sweep");
    }
}
