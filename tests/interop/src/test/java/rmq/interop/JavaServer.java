package rmq.interop;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** The original: the tests must hold against it before they may accuse rmq. */
final class JavaServer extends Server {
    private JavaProcess namesrv;
    private JavaProcess broker;
    private int namesrvPort;
    private int brokerPort;

    @Override
    void start() throws Exception {
        if (namesrvPort == 0) {
            namesrvPort = freePorts(1);
            brokerPort = freePorts(4) + 2;
        }
        namesrv = JavaProcess.namesrv(
            directory, Map.of("listenPort", Integer.toString(namesrvPort)));
        broker = JavaProcess.broker(directory, keys());
        // A Java broker says "boot success" before the name server knows it.
        Await.until("registration of the Java broker", Duration.ofSeconds(180),
            () -> !Requests.brokersOf("TBW102", namesrv()).isEmpty());
    }

    private Map<String, String> keys() {
        final Map<String, String> keys = new LinkedHashMap<>();
        keys.put("namesrvAddr", namesrv());
        keys.putAll(Node.javaBrokerKeys(directory, brokerPort));
        keys.putAll(brokerKeys());
        return keys;
    }

    @Override
    int stop() throws Exception {
        final int code = broker.stop();
        namesrv.stop();
        return code;
    }

    @Override
    void kill() throws Exception {
        for (JavaProcess process : new JavaProcess[] {broker, namesrv}) {
            if (process != null) {
                process.kill();
            }
        }
    }

    @Override
    boolean running() {
        return (namesrv != null && namesrv.running()) || (broker != null && broker.running());
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
