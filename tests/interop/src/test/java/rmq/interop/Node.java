package rmq.interop;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One name server or one broker as a process of its own, on a port of 127.0.0.1 that it keeps over
 * {@link #stop}, {@link #kill} and {@link #start}, with a data directory of its own.
 */
final class Node implements AutoCloseable {
    enum Kind {
        RMQ, JAVA;

        /** What RMQ_INTEROP_SERVER says. */
        static Kind chosen() {
            return Server.isJava() ? JAVA : RMQ;
        }
    }

    final Path directory;
    final int port;
    private final Kind kind;
    private final boolean isBroker;
    private final Map<String, String> keys = new LinkedHashMap<>();
    private RoleProcess process;

    private Node(Kind kind, boolean isBroker) throws Exception {
        this.kind = kind;
        this.isBroker = isBroker;
        directory = Files.createTempDirectory("rmq-interop-");
        port = isBroker ? Server.freePorts(4) + 2 : Server.freePorts(1);
    }

    /** Not started. */
    static Node namesrv(Kind kind) throws Exception {
        return new Node(kind, false);
    }

    /** Not started; {@code namesrv} is a list with semicolons. */
    static Node broker(Kind kind, String name, String namesrv) throws Exception {
        return new Node(kind, true).with("brokerName", name).with("namesrvAddr", namesrv);
    }

    /** A key of namesrv.conf or broker.conf, before the next start. */
    Node with(String key, String value) {
        keys.put(key, value);
        return this;
    }

    static Map<String, String> javaBrokerKeys(Path directory, int port) {
        final Map<String, String> keys = new LinkedHashMap<>();
        keys.put("listenPort", Integer.toString(port));
        keys.put("haListenPort", Integer.toString(port + 1));
        keys.put("brokerIP1", "127.0.0.1");
        keys.put("brokerIP2", "127.0.0.1");
        keys.put("storePathRootDir", directory.resolve("store").toString());
        keys.put("storePathCommitLog", directory.resolve("store/commitlog").toString());
        keys.put("mappedFileSizeCommitLog", Integer.toString(64 << 20));
        return keys;
    }

    /** Returns when it accepts requests. */
    void start() throws Exception {
        process = kind == Kind.RMQ ? startRmq() : startJava();
    }

    private RoleProcess startRmq() throws Exception {
        final String role = isBroker ? "master" : "namesrv";
        final List<String> options = new ArrayList<>(List.of("--role=" + role, "--port",
            Integer.toString(port), "--data", directory.resolve("data").toString()));
        if (isBroker) {
            options.addAll(List.of("--advertise", "127.0.0.1"));
        }
        if (!keys.isEmpty()) {
            options.addAll(List.of("--config",
                role + "=" + Server.write(directory.resolve(role + ".conf"), keys)));
        }
        return new RmqProcess(directory.resolve("rmq.log"), options);
    }

    private RoleProcess startJava() throws Exception {
        final Map<String, String> all = isBroker ? javaBrokerKeys(directory, port)
            : new LinkedHashMap<>(Map.of("listenPort", Integer.toString(port)));
        all.putAll(keys);
        return isBroker ? JavaProcess.broker(directory, all)
            : JavaProcess.namesrv(directory, all);
    }

    /** SIGTERM; returns the exit code. */
    int stop() throws Exception {
        return process.stop();
    }

    void kill() throws Exception {
        process.kill();
    }

    Process process() {
        return process.process();
    }

    String address() {
        return "127.0.0.1:" + port;
    }

    /** Forgets all data; while it does not run. */
    void deleteData() throws Exception {
        Server.deleteTree(directory);
        Files.createDirectories(directory);
    }

    @Override
    public void close() throws Exception {
        if (process != null && process.running()) {
            kill();
        }
    }
}
