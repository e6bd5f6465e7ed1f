package rmq.interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.header.QueryConsumerOffsetRequestHeader;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

/** An administrator sets a group back in time; its running consumer reads again from there. */
class ResetOffsetTest extends ServerTest {
    private static final int QUEUES = 2;

    private static List<String> send(DefaultMQProducer producer, String topic, String name)
        throws Exception {
        final List<String> bodies = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            bodies.add(name + i);
            producer.send(new Message(topic, "Tag", Bodies.text(name + i)));
        }
        return bodies;
    }

    private static List<String> take(BlockingQueue<MessageExt> received, int count)
        throws Exception {
        return Await.take("messages", received, count).stream()
            .map(message -> Bodies.text(message.getBody())).sorted().toList();
    }

    private static long committed(MQClientAPIImpl api, String topic, String group,
        MessageQueue queue) throws Exception {
        final QueryConsumerOffsetRequestHeader header = new QueryConsumerOffsetRequestHeader();
        header.setConsumerGroup(group);
        header.setTopic(topic);
        header.setQueueId(queue.getQueueId());
        return api.queryConsumerOffset(server.broker(), header, 5000);
    }

    @Test
    void aRunningConsumerReadsAgain() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "reset", QUEUES);
        final String group = Clients.unique("group");
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer = clients.startedPushConsumer(
            group, MessageModel.CLUSTERING, topic, "*", received);
        send(producer, topic, "early");
        final long sent = System.currentTimeMillis();
        Await.until("another millisecond", () -> System.currentTimeMillis() > sent + 1);
        final long between = System.currentTimeMillis();
        Await.until("yet another one", () -> System.currentTimeMillis() > between);
        final List<String> late = send(producer, topic, "late");
        take(received, 20);

        final MQClientAPIImpl administrator = producer.getDefaultMQProducerImpl()
            .getMqClientFactory().getMQClientAPIImpl();
        final Map<MessageQueue, Long> offsets = administrator.invokeBrokerToResetOffset(
            server.broker(), topic, group, between, true, 10_000);
        assertEquals(QUEUES, offsets.size());

        assertEquals(late, take(received, 10));
        final List<String> next = send(producer, topic, "next");
        assertEquals(next, take(received, 10));
        assertNull(received.poll());
        consumer.shutdown();
        Await.until("what was consumed to be committed", () -> {
            long sum = 0;
            for (MessageQueue queue : offsets.keySet()) {
                sum += committed(administrator, topic, group, queue);
            }
            return sum == 30;
        });
    }
}
