package rmq.interop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/** Threads that send one message after the other until they are told to stop. */
final class Traffic {
    final Set<String> sent = ConcurrentHashMap.newKeySet();
    final Queue<String> failures = new ConcurrentLinkedQueue<>();
    final Map<String, Long> byBroker = new ConcurrentHashMap<>(); // and sender
    // Each with its own producer: when a broker dies under threads that share one, the client may
    // replace the connection before it fails what was under way on it, which then times out.
    private static final int SENDERS = 3;
    private static final Duration DEADLINE = Duration.ofSeconds(70);

    private final Clients clients;
    private final String topic;
    private final Consumer<DefaultMQProducer> settings;
    private volatile String step = "before";
    private volatile boolean stopped;
    private final List<Thread> senders = new ArrayList<>();

    /** {@code settings} changes what a new producer has by default. */
    Traffic(Clients clients, String topic, Consumer<DefaultMQProducer> settings) {
        this.clients = clients;
        this.topic = topic;
        this.settings = settings;
    }

    void start() throws Exception {
        for (int i = 0; i < SENDERS; i++) {
            final String prefix = "m" + i + "-";
            final DefaultMQProducer producer = clients.newDefaultProducer();
            settings.accept(producer);
            producer.start();
            senders.add(new Thread(() -> send(producer, prefix), "sender " + i));
            senders.get(i).start();
        }
    }

    private void send(DefaultMQProducer producer, String prefix) {
        for (int i = 0; !stopped; i++) {
            final String key = prefix + i;
            final String during = step;
            try {
                final SendResult result =
                    producer.send(new Message(topic, "Tag", key, Bodies.text(key)));
                if (result.getSendStatus() != SendStatus.SEND_OK) {
                    throw new IllegalStateException(result.toString());
                }
                sent.add(key);
                byBroker.merge(prefix + result.getMessageQueue().getBrokerName(), 1L, Long::sum);
                TimeUnit.MILLISECONDS.sleep(2);
            } catch (Exception e) {
                failures.add(during + ", " + key + ": " + e);
            }
        }
    }

    void enter(String what) {
        step = what;
    }

    /** Until that many more have succeeded. */
    void awaitSends(int count) throws InterruptedException {
        final int wanted = sent.size() + count;
        Await.until(count + " sends", DEADLINE, () -> sent.size() >= wanted);
    }

    /** Until every producer uses both brokers, again. */
    void awaitBothBrokers() throws InterruptedException {
        final Map<String, Long> before = Map.copyOf(byBroker);
        Await.until("sends to both brokers", DEADLINE, () -> byBroker.size() == 2 * SENDERS
            && byBroker.entrySet().stream().allMatch(
                entry -> entry.getValue() > before.getOrDefault(entry.getKey(), 0L)));
    }

    void finish() throws InterruptedException {
        stopped = true;
        for (Thread sender : senders) {
            sender.join();
        }
    }
}
