package rmq.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A Java and a C++ push consumer in one group: they share the queues, and either takes over when
 * the other leaves; a group of concurrent and one of orderly listeners at the same time. The C++
 * member is the executable rmq_interop_member beside rmq.
 */
class CppMemberTest extends ServerTest {
    private static final int QUEUES = 4;
    private static final int ROUNDS = 25;

    /** What the members of one group consumed. */
    private static final class Log {
        private final List<GroupMember.Consumption> all = new ArrayList<>();

        synchronized void add(GroupMember.Consumption consumption) {
            all.add(consumption);
        }

        synchronized List<GroupMember.Consumption> copy() {
            return new ArrayList<>(all);
        }

        Set<String> places() {
            final Set<String> places = new HashSet<>();
            copy().forEach(c -> places.add(c.queue() + ":" + c.offset()));
            return places;
        }

        /** How many queues each member was the last to consume from. */
        Map<String, Integer> shares() {
            final Map<Integer, GroupMember.Consumption> last = new HashMap<>();
            copy().forEach(c -> last.merge(c.queue(), c,
                (a, b) -> a.offset() > b.offset() ? a : b));
            final Map<String, Integer> shares = new HashMap<>();
            last.values().forEach(c -> shares.merge(c.member(), 1, Integer::sum));
            return shares;
        }
    }

    private final Log plain = new Log();
    private final Log ordered = new Log();
    private final String plainGroup = Clients.unique("cpp-plain");
    private final String orderedGroup = Clients.unique("cpp-ordered");
    private final Set<String> sent = new HashSet<>();
    private DefaultMQProducer producer;
    private List<MessageQueue> queues;
    private String topic;

    private void add(GroupMember.Consumption consumption) {
        (consumption.ordered() ? ordered : plain).add(consumption);
    }

    private Clients startJava(String member) throws Exception {
        final Clients own = new Clients(server);
        GroupMember.start(own, member, plainGroup, false, topic, this::add);
        GroupMember.start(own, member, orderedGroup, true, topic, this::add);
        return own;
    }

    private Process startCpp(String member) throws IOException {
        final String rmq = System.getenv("RMQ_BIN");
        final Path executable = Path.of(rmq != null ? rmq : "../../build/release/rmq")
            .toAbsolutePath().resolveSibling("tests/rmq_interop_member");
        assertTrue(Files.isExecutable(executable), "no executable " + executable + ": build it");
        final Process process = Server.launch(new ProcessBuilder(executable.toString(),
            server.namesrv(), topic, member, plainGroup, orderedGroup)
            .redirectError(ProcessBuilder.Redirect.INHERIT));
        final Thread reader = new Thread(() -> {
            try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (!line.startsWith(GroupMember.STARTS)) {
                        add(GroupMember.Consumption.of(line));
                    }
                }
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }, "lines of " + member);
        reader.setDaemon(true);
        reader.start();
        return process;
    }

    private void leave(Process cpp) throws Exception {
        cpp.getOutputStream().close();
        assertTrue(cpp.waitFor(30, TimeUnit.SECONDS), "the C++ member has not ended");
        assertEquals(0, cpp.exitValue());
    }

    /** One message to each queue. */
    private void sendRound() throws Exception {
        for (MessageQueue queue : queues) {
            final long offset =
                producer.send(new Message(topic, Bodies.text("m")), queue).getQueueOffset();
            sent.add(queue.getQueueId() + ":" + offset);
        }
    }

    private void settle(String what, Map<String, Integer> shares) throws Exception {
        Await.until(what, () -> {
            sendRound();
            return plain.shares().equals(shares) && ordered.shares().equals(shares);
        });
        Await.until(what + ": all consumed", () -> plain.places().containsAll(sent)
            && ordered.places().containsAll(sent));
    }

    /** While nobody comes or goes, each message is consumed once. */
    private void checkOnce(Map<String, Integer> shares) throws Exception {
        final int plainBefore = plain.copy().size();
        final int orderedBefore = ordered.copy().size();
        for (int round = 0; round < ROUNDS; round++) {
            sendRound();
        }
        Await.until("all consumed", () -> plain.places().containsAll(sent)
            && ordered.places().containsAll(sent));
        assertEquals(ROUNDS * QUEUES, plain.copy().size() - plainBefore);
        assertEquals(ROUNDS * QUEUES, ordered.copy().size() - orderedBefore);
        assertEquals(shares, plain.shares());
        assertEquals(shares, ordered.shares());
    }

    @Test
    @Timeout(150)
    void shareAndTakeOver() throws Exception {
        producer = clients.startedProducer();
        topic = clients.newTopic(producer, "cpp-member", QUEUES);
        queues = producer.fetchPublishMessageQueues(topic);
        Process cpp = null;
        try {
            try (Clients java = startJava("java")) {
                settle("Java alone", Map.of("java", 4));
                cpp = startCpp("cpp");
                settle("C++ joins", Map.of("java", 2, "cpp", 2));
                checkOnce(Map.of("java", 2, "cpp", 2));

                leave(cpp);
                settle("C++ left", Map.of("java", 4));

                cpp = startCpp("cpp2");
                settle("C++ comes back", Map.of("java", 2, "cpp2", 2));
            }
            settle("Java left", Map.of("cpp2", 4));
            checkOnce(Map.of("cpp2", 4));
            leave(cpp);
        } finally {
            if (cpp != null) {
                cpp.destroyForcibly();
            }
        }
        checkOrder();
    }

    /** No two members at a time, nothing left out, nothing behind what was consumed before. */
    private void checkOrder() {
        final Map<Integer, List<GroupMember.Consumption>> byQueue = new HashMap<>();
        ordered.copy().forEach(
            c -> byQueue.computeIfAbsent(c.queue(), id -> new ArrayList<>()).add(c));
        assertEquals(QUEUES, byQueue.size());
        for (List<GroupMember.Consumption> queue : byQueue.values()) {
            queue.sort(Comparator.comparingLong(GroupMember.Consumption::begin));
            assertEquals(0, queue.get(0).offset());
            for (int i = 1; i < queue.size(); i++) {
                final GroupMember.Consumption before = queue.get(i - 1);
                final GroupMember.Consumption next = queue.get(i);
                assertTrue(next.begin() >= before.end(), before + " overlaps " + next);
                assertTrue(next.offset() <= before.offset() + 1, before + " then " + next);
                assertTrue(!next.member().equals(before.member())
                    || next.offset() == before.offset() + 1, before + " then " + next);
            }
        }
    }
}
