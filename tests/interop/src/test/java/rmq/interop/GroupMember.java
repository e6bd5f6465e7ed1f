package rmq.interop;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/**
 * A consumer of one group that tells what it consumed when. As a process of its own, to be killed,
 * it writes a line for each message.
 */
final class GroupMember {
    /** That {@code member} was busy with a message from {@code begin} to {@code end}, in µs. */
    record Consumption(String member, boolean ordered, int queue, long offset, long begin,
        long end) {

        String line() {
            return member + " " + ordered + " " + queue + " " + offset + " " + begin + " " + end;
        }

        static Consumption of(String line) {
            final String[] words = line.split(" ");
            return new Consumption(words[0], Boolean.parseBoolean(words[1]),
                Integer.parseInt(words[2]), Long.parseLong(words[3]), Long.parseLong(words[4]),
                Long.parseLong(words[5]));
        }
    }

    static final String STARTS = "starts ";

    private GroupMember() {
    }

    /** The same clock for all processes of a machine. */
    static long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    static void start(Clients clients, String member, String group, boolean ordered,
        String topic, Consumer<Consumption> log) throws Exception {
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(group, MessageModel.CLUSTERING);
        consumer.subscribe(topic, "*");
        if (ordered) {
            consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
                consume(member, true, messages, log);
                return ConsumeOrderlyStatus.SUCCESS;
            });
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                consume(member, false, messages, log);
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
        }
        consumer.start();
    }

    private static void consume(String member, boolean ordered, List<MessageExt> messages,
        Consumer<Consumption> log) {
        for (MessageExt message : messages) {
            final long begin = nowMicros();
            try {
                TimeUnit.MILLISECONDS.sleep(1); // Work, during which nobody else may have the queue.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            log.accept(new Consumption(member, ordered, message.getQueueId(),
                message.getQueueOffset(), begin, nowMicros()));
        }
    }

    /** Name server, topic, name, group, ordered group. Runs until it is killed. */
    public static void main(String[] arguments) throws Exception {
        try (Clients clients = new Clients(arguments[0])) {
            final Consumer<Consumption> log = consumption -> {
                synchronized (System.out) {
                    System.out.println(consumption.line());
                    System.out.flush();
                }
            };
            System.out.println(STARTS + nowMicros());
            start(clients, arguments[2], arguments[3], false, arguments[1], log);
            start(clients, arguments[2], arguments[4], true, arguments[1], log);
            // The parent's end of the pipe closes with the parent.
            System.in.read();
        }
    }
}
