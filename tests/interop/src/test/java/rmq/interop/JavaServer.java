package rmq.interop;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.header.namesrv.GetRouteInfoRequestHeader;

/**
 * The original name server and broker, from the jars of the profile java-server: the tests must
 * hold against these before they may accuse rmq.
 */
final class JavaServer extends Server {
    private static final Duration START = Duration.ofSeconds(60);
    private static final int STOP_SECONDS = 60;

    private Process namesrv;
    private Process broker;
    private int namesrvPort;
    private int brokerPort;

    @Override
    void start() throws Exception {
        if (namesrvPort == 0) {
            namesrvPort = freePorts(1);
            brokerPort = freePorts(4) + 2;
        }
        final Path namesrvConf = write(directory.resolve("namesrv.conf"),
            Map.of("listenPort", Integer.toString(namesrvPort)));
        namesrv = boot("namesrv", "org.apache.rocketmq.namesrv.NamesrvStartup", namesrvConf, 256);

        final Map<String, String> keys = new LinkedHashMap<>();
        keys.put("listenPort", Integer.toString(brokerPort));
        keys.put("haListenPort", Integer.toString(brokerPort + 1));
        keys.put("namesrvAddr", namesrv());
        keys.put("brokerIP1", "127.0.0.1");
        keys.put("brokerIP2", "127.0.0.1");
        keys.put("storePathRootDir", directory.resolve("store").toString());
        keys.put("storePathCommitLog", directory.resolve("store/commitlog").toString());
        keys.put("mappedFileSizeCommitLog", Integer.toString(64 << 20));
        keys.putAll(brokerKeys());
        broker = boot("broker", "org.apache.rocketmq.broker.BrokerStartup",
            write(directory.resolve("broker.conf"), keys), 768);
        awaitRegistration();
    }

    /** A Java broker says "boot success" before the name server knows it. */
    private void awaitRegistration() throws Exception {
        final GetRouteInfoRequestHeader header = new GetRouteInfoRequestHeader();
        header.setTopic("TBW102");
        Await.until("registration of the Java broker", START, () ->
            Requests.invoke(namesrv(), RemotingCommand.createRequestCommand(
                RequestCode.GET_ROUTEINFO_BY_TOPIC, header), 2000).getCode() == 0);
    }

    private Process boot(String name, String mainClass, Path conf, int heapMiB)
        throws Exception {
        final Path log = directory.resolve(name + ".log");
        Files.deleteIfExists(log);
        final List<String> command = new ArrayList<>(List.of(
            System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
            "-Xmx" + heapMiB + "m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Drocketmq.home.dir=" + directory, "-Duser.home=" + directory,
            "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "-cp", System.getProperty("java.class.path"), mainClass, "-c", conf.toString()));
        final Process process = launch(new ProcessBuilder(command)
            .redirectErrorStream(true).redirectOutput(log.toFile()));
        Await.until("boot of the Java " + name, START, () -> {
            if (!process.isAlive()) {
                throw new IllegalStateException(tail(log));
            }
            return Files.readString(log).contains("boot success");
        });
        return process;
    }

    @Override
    int stop() throws Exception {
        broker.destroy();
        if (!broker.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            kill();
            throw new AssertionError("SIGTERM did not end the Java broker");
        }
        namesrv.destroy();
        if (!namesrv.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            kill();
            throw new AssertionError("SIGTERM did not end the Java name server");
        }
        // A JVM that a signal stopped in good order ends with 128 + 15.
        return broker.exitValue() == 143 ? 0 : broker.exitValue();
    }

    @Override
    void kill() throws Exception {
        for (Process process : new Process[] {broker, namesrv}) {
            if (process != null) {
                process.destroyForcibly();
                process.waitFor();
            }
        }
    }

    @Override
    boolean running() {
        return (namesrv != null && namesrv.isAlive()) || (broker != null && broker.isAlive());
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
