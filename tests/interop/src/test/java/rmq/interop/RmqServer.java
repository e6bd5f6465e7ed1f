package rmq.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code rmq serve --role=namesrv,master}: one process. RMQ_BIN names the executable. */
final class RmqServer extends Server {
    private static final int START_SECONDS = 20;
    private static final int STOP_SECONDS = 30;

    private final Path log = directory.resolve("rmq.log");
    private Process process;
    private int namesrvPort;
    private int brokerPort;

    private static Path binary() {
        final String configured = System.getenv("RMQ_BIN");
        final Path path = Path.of(configured != null ? configured : "../../build/release/rmq");
        if (!Files.isExecutable(path)) {
            throw new IllegalStateException(
                "no executable " + path.toAbsolutePath() + ": build it, or set RMQ_BIN");
        }
        return path.toAbsolutePath().normalize();
    }

    @Override
    void start() throws Exception {
        final List<String> command = new ArrayList<>(List.of("/bin/sh", "-c",
            // The ready line goes to this process's pipe, everything else to the log.
            "log=$1; shift; exec \"$@\" 3>&1 >>\"$log\" 2>&1", "sh", log.toString(),
            binary().toString(), "serve", "--role=namesrv,master", "--data",
            directory.resolve("data").toString(), "--listen", "127.0.0.1", "--advertise",
            "127.0.0.1", "--ready-fd", "3"));
        final Map<String, String> keys = new LinkedHashMap<>(brokerKeys());
        if (brokerPort == 0) {
            command.addAll(List.of("--port", "0"));
        } else {
            keys.put("listenPort", Integer.toString(brokerPort));
            final Path conf = write(directory.resolve("namesrv.conf"),
                Map.of("listenPort", Integer.toString(namesrvPort)));
            command.addAll(List.of("--config", "namesrv=" + conf));
        }
        if (!keys.isEmpty()) {
            command.addAll(List.of(
                "--config", "master=" + write(directory.resolve("broker.conf"), keys)));
        }
        process = launch(new ProcessBuilder(command));
        final String ready = readyLine();
        namesrvPort = port(ready, "namesrv");
        brokerPort = port(ready, "broker");
    }

    private String readyLine() throws Exception {
        final BufferedReader reader = new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = null;
        try {
            line = CompletableFuture.supplyAsync(() -> {
                try {
                    return reader.readLine();
                } catch (IOException e) {
                    return null;
                }
            }).get(START_SECONDS, TimeUnit.SECONDS);
        } finally {
            if (line == null) {
                process.destroyForcibly();
            }
        }
        if (line == null) {
            throw new AssertionError("rmq serve ended before it was ready, exit code "
                + process.waitFor() + ":\n" + tail(log));
        }
        return line;
    }

    private static int port(String ready, String role) {
        final Matcher matcher =
            Pattern.compile("\"" + role + "\"\\s*:\\s*\"[^\"]*:(\\d+)\"").matcher(ready);
        if (!matcher.find()) {
            throw new AssertionError("no address of " + role + " in the ready line: " + ready);
        }
        return Integer.parseInt(matcher.group(1));
    }

    @Override
    int stop() throws Exception {
        process.destroy();
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            kill();
            throw new AssertionError("SIGTERM did not end rmq:\n" + tail(log));
        }
        return process.exitValue();
    }

    @Override
    void kill() throws Exception {
        process.destroyForcibly();
        process.waitFor();
    }

    @Override
    boolean running() {
        return process != null && process.isAlive();
    }

    @Override
    int namesrvPort() {
        return namesrvPort;
    }

    @Override
    int brokerPort() {
        return brokerPort;
    }
}
