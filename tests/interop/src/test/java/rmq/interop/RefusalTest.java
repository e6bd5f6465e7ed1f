package rmq.interop;

import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfEnvironmentVariable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * What rmq does not do yet is refused with a reason, and above all not stored as an ordinary
 * message, which a consumer would get at once. Java does all of it, so this is for rmq alone.
 */
@DisabledIfEnvironmentVariable(named = "RMQ_INTEROP_SERVER", matches = "java")
class RefusalTest extends ServerTest {
    private static void assertRefused(MQBrokerException refusal, String... words) {
        assertNotEquals(0, refusal.getResponseCode());
        assertFalse(refusal.getErrorMessage() == null || refusal.getErrorMessage().isBlank());
        final String reason = refusal.getErrorMessage().toLowerCase(Locale.ROOT);
        for (String word : words) {
            if (reason.contains(word)) {
                return;
            }
        }
        throw new AssertionError("the reason does not say why: " + refusal.getErrorMessage());
    }

    private void assertNothingStored(DefaultMQProducer producer, String topic) throws Exception {
        for (MessageQueue queue : producer.fetchPublishMessageQueues(topic)) {
            assertEquals(0, producer.maxOffset(queue), "nothing in " + queue);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"seconds", "milliseconds", "time"})
    void timedMessages(String kind) throws Exception {
        final Map<String, Consumer<Message>> kinds = Map.of(
            "seconds", m -> m.setDelayTimeSec(5),
            "milliseconds", m -> m.setDelayTimeMs(5000),
            "time", m -> m.setDeliverTimeMs(System.currentTimeMillis() + 5000));
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "timed", 2);
        final Message message = new Message(topic, Bodies.text("later"));
        kinds.get(kind).accept(message);
        assertRefused(Bodies.refusal(() -> producer.send(message)), "delay", "timer");
        assertNothingStored(producer, topic);
    }

    @Test
    void transactionalMessages() throws Exception {
        final TransactionMQProducer producer = clients.newTransactionProducer();
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object argument) {
                return LocalTransactionState.COMMIT_MESSAGE;
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                return LocalTransactionState.COMMIT_MESSAGE;
            }
        });
        producer.start();
        final String topic = clients.newTopic(producer, "transactional", 2);
        assertRefused(Bodies.refusal(() -> producer.sendMessageInTransaction(
            new Message(topic, Bodies.text("half")), null)), "transaction", "half");
        assertNothingStored(producer, topic);
    }

    @Test
    void preparedByFlagAlone() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "prepared", 1);
        final String brokerName =
            producer.fetchPublishMessageQueues(topic).get(0).getBrokerName();
        assertRefused(Bodies.refusal(() -> Requests.sendRaw(server.broker(), topic, brokerName,
            Bodies.text("half"), MessageSysFlag.TRANSACTION_PREPARED_TYPE,
            Map.of("TRAN_MSG", "true", "PGROUP", "raw-producers"))), "transaction", "half");
        assertNothingStored(producer, topic);
        assertTrue(server.running());
    }
}
