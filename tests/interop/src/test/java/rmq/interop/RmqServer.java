package rmq.interop;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code rmq serve --role=namesrv,master}: one process. */
final class RmqServer extends Server {
    private final Path log = directory.resolve("rmq.log");
    private RmqProcess process;
    private int namesrvPort;
    private int brokerPort;

    @Override
    void start() throws Exception {
        final List<String> options = new ArrayList<>(List.of("--role=namesrv,master", "--data",
            directory.resolve("data").toString(), "--advertise", "127.0.0.1"));
        final Map<String, String> keys = new LinkedHashMap<>(brokerKeys());
        if (brokerPort == 0) {
            options.addAll(List.of("--port", "0"));
        } else {
            keys.put("listenPort", Integer.toString(brokerPort));
            final Path conf = write(directory.resolve("namesrv.conf"),
                Map.of("listenPort", Integer.toString(namesrvPort)));
            options.addAll(List.of("--config", "namesrv=" + conf));
        }
        if (!keys.isEmpty()) {
            options.addAll(List.of(
                "--config", "master=" + write(directory.resolve("broker.conf"), keys)));
        }
        process = new RmqProcess(log, options);
        namesrvPort = process.port("namesrv");
        brokerPort = process.port("broker");
    }

    @Override
    int stop() throws Exception {
        return process.stop();
    }

    @Override
    void kill() throws Exception {
        process.kill();
    }

    @Override
    boolean running() {
        return process != null && process.running();
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
