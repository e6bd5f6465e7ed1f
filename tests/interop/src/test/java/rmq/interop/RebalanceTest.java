package rmq.interop;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Consumers of a group share its queues while members join, leave and are killed and messages keep
 * coming: an ordinary and an ordered group at the same time, because the locks of a killed ordered
 * consumer take a minute to expire.
 */
class RebalanceTest extends ServerTest {
    private static final int QUEUES = 6;
    // Without being told of a change, consumers look for one every 20 s.
    private static final Duration TOLD = Duration.ofSeconds(15);
    private static final Duration STARTED_AND_TOLD = Duration.ofSeconds(40);
    private static final Duration LOCK_EXPIRY = Duration.ofSeconds(75);
    private static final String JAVA_TOLD =
        "Java: told at once, looks again within 1 s; untold within 20 s";
    private static final String JAVA_KILLED_ORDERED =
        "Java: locks expire 60 s after the last renewal, which is every 20 s: 40 to 61 s";

    /** What a group consumed, in the order in which the test learned of it. */
    private static final class Log {
        private final List<GroupMember.Consumption> all = new ArrayList<>();
        private final Map<Integer, String> holders = new HashMap<>();

        synchronized void add(GroupMember.Consumption consumption) {
            all.add(consumption);
            holders.put(consumption.queue(), consumption.member());
        }

        synchronized List<GroupMember.Consumption> all() {
            return new ArrayList<>(all);
        }

        /** Who last had a message of each queue. */
        synchronized Map<Integer, String> holders() {
            return new HashMap<>(holders);
        }

        /** All queues are with exactly these members, each with as many. */
        boolean sharedBy(Set<String> members) {
            final Map<String, Integer> counts = new HashMap<>();
            final Map<Integer, String> now = holders();
            now.values().forEach(member -> counts.merge(member, 1, Integer::sum));
            return now.size() == QUEUES && counts.keySet().equals(members)
                && counts.values().stream().allMatch(n -> n == QUEUES / members.size());
        }

        /** From {@code since} until each queue that changed hands was served by its new holder. */
        Duration takeOver(Map<Integer, String> before, long since) {
            final Map<Integer, String> after = holders();
            long last = since;
            for (int queue = 0; queue < QUEUES; queue++) {
                final int id = queue;
                if (after.get(id).equals(before.get(id))) {
                    continue;
                }
                last = Math.max(last, all().stream().filter(c -> c.queue() == id
                        && c.begin() >= since && c.member().equals(after.get(id)))
                    .mapToLong(GroupMember.Consumption::begin).min().orElseThrow());
            }
            return Duration.of(last - since, ChronoUnit.MICROS);
        }
    }

    /** A message to every queue, again and again. */
    private static final class Traffic extends Thread {
        private final DefaultMQProducer producer;
        private final List<MessageQueue> queues;
        private final Set<String> sent = new HashSet<>();
        private Exception failure;
        private volatile boolean stopped;

        Traffic(DefaultMQProducer producer, List<MessageQueue> queues) {
            super("traffic");
            this.producer = producer;
            this.queues = queues;
        }

        @Override
        public void run() {
            try {
                while (!stopped) {
                    for (MessageQueue queue : queues) {
                        final long offset = producer.send(
                            new Message(queue.getTopic(), Bodies.text("m")), queue)
                            .getQueueOffset();
                        sent.add(queue.getQueueId() + ":" + offset);
                    }
                    TimeUnit.MILLISECONDS.sleep(50);
                }
            } catch (Exception e) {
                failure = e;
            }
        }

        Set<String> finish() throws Exception {
            stopped = true;
            join();
            if (failure != null) {
                throw failure;
            }
            return sent;
        }
    }

    private final Log plain = new Log();
    private final Log ordered = new Log();
    private final String plainGroup = Clients.unique("plain");
    private final String orderedGroup = Clients.unique("ordered");
    private String topic;

    private void add(GroupMember.Consumption consumption) {
        (consumption.ordered() ? ordered : plain).add(consumption);
    }

    private Clients start(String member) throws Exception {
        final Clients own = new Clients(server);
        GroupMember.start(own, member, plainGroup, false, topic, this::add);
        GroupMember.start(own, member, orderedGroup, true, topic, this::add);
        return own;
    }

    /** In a process of its own; {@code started} gets the time when it begins to start its clients. */
    private Process startProcess(String member, CompletableFuture<Long> started)
        throws IOException {
        final Process process = Server.launch(new ProcessBuilder(
            System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
            "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Drocketmq.log.root=" + System.getProperty("rocketmq.log.root"),
            "-cp", System.getProperty("java.class.path"), GroupMember.class.getName(),
            server.namesrv(), topic, member, plainGroup, orderedGroup)
            .redirectError(ProcessBuilder.Redirect.INHERIT));
        final Thread reader = new Thread(() -> {
            try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith(GroupMember.STARTS)) {
                        started.complete(Long.parseLong(
                            line.substring(GroupMember.STARTS.length())));
                    } else if (line.startsWith(member + " ")) {
                        add(GroupMember.Consumption.of(line));
                    }
                }
            } catch (IOException e) {
                started.completeExceptionally(e);
            }
        }, "lines of " + member);
        reader.setDaemon(true);
        reader.start();
        return process;
    }

    private interface Step {
        /** Returns when it happened, in µs. */
        long happen() throws Exception;
    }

    /** Until both groups have settled on {@code members} after {@code step}; prints the times. */
    private void change(String what, Step step, Set<String> members, Duration plainLimit,
        Duration orderedLimit, String orderedRule) throws Exception {
        final Map<Integer, String> plainBefore = plain.holders();
        final Map<Integer, String> orderedBefore = ordered.holders();
        final long since = step.happen();
        Await.until(what + ": shared by " + members, plainLimit,
            () -> plain.sharedBy(members));
        Await.until(what + ", ordered: shared by " + members, orderedLimit,
            () -> ordered.sharedBy(members));
        Measured.print(what + ", queues are taken over", plain.takeOver(plainBefore, since),
            JAVA_TOLD);
        Measured.print(what + ", ordered queues are taken over",
            ordered.takeOver(orderedBefore, since), orderedRule);
    }

    @Test
    @Timeout(150)
    void membersComeAndGo() throws Exception {
        final DefaultMQProducer producer = clients.startedProducer();
        topic = clients.newTopic(producer, "rebalance", QUEUES);
        final Traffic traffic =
            new Traffic(producer, producer.fetchPublishMessageQueues(topic));
        traffic.start();
        Process child = null;
        final Set<String> sent;
        try (Clients first = start("first"); Clients second = start("second")) {
            Await.until("two share the queues", () ->
                plain.sharedBy(Set.of("first", "second"))
                    && ordered.sharedBy(Set.of("first", "second")));
            final CompletableFuture<Long> started = new CompletableFuture<>();
            child = startProcess("child", started);
            final Process process = child;
            change("a third member joins", () -> started.get(30, TimeUnit.SECONDS),
                Set.of("first", "second", "child"), STARTED_AND_TOLD, STARTED_AND_TOLD, JAVA_TOLD);
            change("a member leaves", () -> {
                final long now = GroupMember.nowMicros();
                second.close();
                return now;
            }, Set.of("first", "child"), TOLD, TOLD, JAVA_TOLD);
            try (Clients third = joinAndKill(process)) {
                sent = traffic.finish();
                Await.until("all " + sent.size() + " messages consumed",
                    () -> consumed(plain).containsAll(sent));
                Await.until("all " + sent.size() + " messages consumed in order",
                    () -> consumed(ordered).containsAll(sent));
            }
        } finally {
            traffic.finish();
            if (child != null) {
                child.destroyForcibly();
            }
        }
        checkOrder(sent);
    }

    /** A new member, and then the death of the one that is a process. */
    private Clients joinAndKill(Process child) throws Exception {
        final Clients[] third = new Clients[1];
        try {
            change("a member joins", () -> {
                final long now = GroupMember.nowMicros();
                third[0] = start("third");
                return now;
            }, Set.of("first", "child", "third"), STARTED_AND_TOLD, STARTED_AND_TOLD, JAVA_TOLD);
            change("a member is killed", () -> {
                final long now = GroupMember.nowMicros();
                child.destroyForcibly().waitFor();
                return now;
            }, Set.of("first", "third"), TOLD, LOCK_EXPIRY, JAVA_KILLED_ORDERED);
        } catch (Exception | Error e) {
            if (third[0] != null) {
                third[0].close();
            }
            throw e;
        }
        return third[0];
    }

    private static Set<String> consumed(Log log) {
        final Set<String> places = new HashSet<>();
        log.all().forEach(c -> places.add(c.queue() + ":" + c.offset()));
        return places;
    }

    /** No two members at a time, nothing left out; what a new holder repeats is from its start. */
    private void checkOrder(Set<String> sent) {
        final Map<Integer, List<GroupMember.Consumption>> queues = new HashMap<>();
        for (GroupMember.Consumption consumption : ordered.all()) {
            queues.computeIfAbsent(consumption.queue(), id -> new ArrayList<>()).add(consumption);
        }
        assertEquals(QUEUES, queues.size());
        int repeated = 0;
        int handOvers = 0;
        for (List<GroupMember.Consumption> queue : queues.values()) {
            queue.sort(Comparator.comparingLong(GroupMember.Consumption::begin));
            assertEquals(0, queue.get(0).offset());
            for (int i = 1; i < queue.size(); i++) {
                final GroupMember.Consumption before = queue.get(i - 1);
                final GroupMember.Consumption next = queue.get(i);
                final boolean sameMember = next.member().equals(before.member());
                assertTrue(next.begin() >= before.end(), before + " overlaps " + next);
                assertTrue(next.offset() <= before.offset() + 1, before + " then " + next);
                assertTrue(!sameMember || next.offset() == before.offset() + 1,
                    before + " then " + next);
                repeated += next.offset() <= before.offset() ? 1 : 0;
                handOvers += sameMember ? 0 : 1;
            }
        }
        System.out.println(sent.size() + " messages; ordered queues changed hands " + handOvers
            + " times, at " + repeated + " of them with messages that had been consumed");
    }
}
