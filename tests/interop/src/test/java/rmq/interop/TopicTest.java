package rmq.interop;

import java.util.HashSet;
import java.util.Set;
import java.util.Map;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.topic.TopicValidator;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Topics by administration and by the first send. */
class TopicTest extends ServerTest {
    private static Set<Integer> queueIds(DefaultMQProducer producer, String topic)
        throws MQClientException {
        final Set<Integer> ids = new HashSet<>();
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            ids.add(queue.getQueueId());
        }
        return ids;
    }

    @Test
    void createdByTheFirstSend() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = Clients.unique("first-send");
        final SendResult result = producer.send(new Message(topic, Bodies.text("hello")));
        assertEquals(0, result.getQueueOffset());
        // Another client finds the topic by its own route, with the producer's queue count.
        final DefaultMQProducer other = clients.startedProducer();
        Await.until("route of " + topic, () -> queueIds(other, topic).equals(Set.of(0, 1, 2, 3)));
        assertEquals("hello", Bodies.text(clients.readAll(topic, 1).get(0).getBody()));
    }

    @Test
    void createdByAdministration() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = Clients.unique("created");
        assertThrows(MQClientException.class, () -> producer.fetchPublishMessageQueues(topic));
        producer.createTopic(TopicValidator.AUTO_CREATE_TOPIC_KEY_TOPIC, topic, 6, Map.of());
        Await.until("route with six queues",
            () -> queueIds(producer, topic).equals(Set.of(0, 1, 2, 3, 4, 5)));
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            assertEquals(0, producer.send(
                new Message(topic, Bodies.text("x")), queue).getQueueOffset());
        }
        // The same request again changes the topic.
        producer.createTopic(TopicValidator.AUTO_CREATE_TOPIC_KEY_TOPIC, topic, 8, Map.of());
        Await.until("route with eight queues", () -> queueIds(producer, topic).size() == 8);
        assertEquals(6, clients.readAll(topic, 6).size());
    }

    @Test
    void aQueueThatDoesNotExistIsRefused() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "queues", 2);
        final String brokerName =
            producer.fetchPublishMessageQueues(topic).get(0).getBrokerName();
        final MQBrokerException refusal = Bodies.refusal(() -> producer.send(
            new Message(topic, Bodies.text("x")), new MessageQueue(topic, brokerName, 2)));
        // Java: INVALID_PARAMETER, which says which queue of which topic.
        assertEquals(ResponseCode.INVALID_PARAMETER, refusal.getResponseCode());
        assertTrue(refusal.getErrorMessage().contains(topic), refusal.getErrorMessage());
    }

    @Test
    void systemTopicsRefuseSends() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "any", 1);
        final String brokerName =
            producer.fetchPublishMessageQueues(topic).get(0).getBrokerName();
        // To a queue by name, or the client's own check would refuse first.
        final MQBrokerException refusal = Bodies.refusal(() -> Requests.sendRaw(
            server.broker(), "SCHEDULE_TOPIC_XXXX", brokerName, Bodies.text("x")));
        assertEquals(ResponseCode.NO_PERMISSION, refusal.getResponseCode());
    }
}
