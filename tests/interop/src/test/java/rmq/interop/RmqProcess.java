package rmq.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code rmq serve} with any roles. RMQ_BIN names the executable. */
final class RmqProcess implements RoleProcess {
    private static final int START_SECONDS = 20;
    private static final int STOP_SECONDS = 30;

    private final Path log;
    private final Process process;
    private final String ready;

    /** Returns when all roles accept requests; {@code options} are those of {@code rmq serve}. */
    RmqProcess(Path log, List<String> options) throws Exception {
        this.log = log;
        final List<String> command = new ArrayList<>(List.of("/bin/sh", "-c",
            // The ready line goes to this process's pipe, everything else to the log.
            "log=$1; shift; exec \"$@\" 3>&1 >>\"$log\" 2>&1", "sh", log.toString(),
            binary().toString(), "serve", "--listen", "127.0.0.1", "--ready-fd", "3"));
        command.addAll(options);
        process = Server.launch(new ProcessBuilder(command));
        ready = readyLine();
    }

    private static Path binary() {
        final String configured = System.getenv("RMQ_BIN");
        final Path path = Path.of(configured != null ? configured : "../../build/release/rmq");
        if (!Files.isExecutable(path)) {
            throw new IllegalStateException(
                "no executable " + path.toAbsolutePath() + ": build it, or set RMQ_BIN");
        }
        return path.toAbsolutePath().normalize();
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
                + process.waitFor() + ":\n" + Server.tail(log));
        }
        return line;
    }

    /** Of "namesrv" or "broker", from the ready line. */
    int port(String role) {
        final Matcher matcher =
            Pattern.compile("\"" + role + "\"\\s*:\\s*\"[^\"]*:(\\d+)\"").matcher(ready);
        if (!matcher.find()) {
            throw new AssertionError("no address of " + role + " in the ready line: " + ready);
        }
        return Integer.parseInt(matcher.group(1));
    }

    @Override
    public Process process() {
        return process;
    }

    @Override
    public int stop() throws Exception {
        return terminate(STOP_SECONDS, () -> "rmq:\n" + Server.tail(log));
    }
}
