package rmq.interop;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Comparator;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A name server and a broker as processes of their own, on free ports of 127.0.0.1, with a data
 * directory of their own. After {@link #stop} or {@link #kill}, {@link #start} brings them back on
 * the same ports and data. RMQ_INTEROP_SERVER chooses the kind: rmq (default) or java.
 */
abstract class Server implements AutoCloseable {
    final Path directory;
    private final Map<String, String> brokerKeys = new LinkedHashMap<>();
    private boolean passed;

    Server() {
        try {
            directory = Files.createTempDirectory("rmq-interop-");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean isJava() {
        return "java".equals(System.getenv("RMQ_INTEROP_SERVER"));
    }

    /** Not started yet. */
    static Server create() {
        return isJava() ? new JavaServer() : new RmqServer();
    }

    static Server started() throws Exception {
        final Server server = create();
        server.start();
        return server;
    }

    /** Starts a process that does not outlive this JVM, whatever becomes of the test. */
    static Process launch(ProcessBuilder builder) throws IOException {
        final Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        return process;
    }

    /** A broker.conf key, before the first start. */
    Server with(String key, String value) {
        brokerKeys.put(key, value);
        return this;
    }

    Map<String, String> brokerKeys() {
        return brokerKeys;
    }

    /** Returns when both accept requests. */
    abstract void start() throws Exception;

    /** SIGTERM; returns the exit code of the broker's process. */
    abstract int stop() throws Exception;

    /** SIGKILL. */
    abstract void kill() throws Exception;

    abstract boolean running();

    abstract int namesrvPort();

    abstract int brokerPort();

    String namesrv() {
        return "127.0.0.1:" + namesrvPort();
    }

    String broker() {
        return "127.0.0.1:" + brokerPort();
    }

    String vip() {
        return "127.0.0.1:" + (brokerPort() - 2);
    }

    /** Without this the data directory stays behind for a look after a failure. */
    void deleteDataOnClose() {
        passed = true;
    }

    @Override
    public void close() throws Exception {
        if (running()) {
            kill();
        }
        if (passed) {
            deleteTree(directory);
        }
    }

    static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    static Path write(Path file, Map<String, String> keys) throws IOException {
        final List<String> lines = new ArrayList<>();
        keys.forEach((key, value) -> lines.add(key + "=" + value));
        return Files.write(file, lines);
    }

    /** The last lines of a log, for the message of a failure. */
    static String tail(Path log) {
        try {
            final List<String> lines = Files.readAllLines(log);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            return "(no log: " + e + ")";
        }
    }

    /**
     * First of {@code count} neighbouring ports that are free now. None that the system gives to
     * outgoing connections: one of those could take it while a server is down, above all that of a
     * client which tries to reach just this port.
     */
    static int freePorts(int count) throws IOException {
        for (int attempt = 0; attempt < 200; attempt++) {
            final List<ServerSocket> held = new ArrayList<>();
            final int first = ThreadLocalRandom.current().nextInt(15_000, 32_000);
            try {
                for (int i = 0; i < count; i++) {
                    held.add(
                        new ServerSocket(first + i, 1, InetAddress.getByName("127.0.0.1")));
                }
                return first;
            } catch (IOException e) {
                // One is taken: try elsewhere.
            } finally {
                for (ServerSocket socket : held) {
                    socket.close();
                }
            }
        }
        throw new IOException("no " + count + " neighbouring free ports");
    }
}
