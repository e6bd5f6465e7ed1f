package rmq.interop;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The original name server or broker, from the jars of the profile java-server. */
final class JavaProcess implements RoleProcess {
    private static final Duration START = Duration.ofSeconds(180);
    private static final int STOP_SECONDS = 60;

    private final String name;
    private final Process process;

    /** {@code name}.conf and {@code name}.log are in {@code directory}. */
    private JavaProcess(Path directory, String name, String mainClass, int heapMiB,
        Map<String, String> keys) throws Exception {
        this.name = name;
        final Path conf = Server.write(directory.resolve(name + ".conf"), keys);
        final Path log = directory.resolve(name + ".log");
        Files.deleteIfExists(log);
        process = Server.launch(new ProcessBuilder(List.of(
            System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
            "-Xmx" + heapMiB + "m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Drocketmq.home.dir=" + directory, "-Duser.home=" + directory,
            "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "-cp", System.getProperty("java.class.path"), mainClass, "-c", conf.toString()))
            .redirectErrorStream(true).redirectOutput(log.toFile()));
        Await.until("boot of the Java " + name, START, () -> {
            if (!process.isAlive()) {
                throw new IllegalStateException(Server.tail(log));
            }
            return Files.readString(log).contains("boot success");
        });
    }

    static JavaProcess namesrv(Path directory, Map<String, String> keys) throws Exception {
        return new JavaProcess(
            directory, "namesrv", "org.apache.rocketmq.namesrv.NamesrvStartup", 256, keys);
    }

    /** Says "boot success" before a name server knows it. */
    static JavaProcess broker(Path directory, Map<String, String> keys) throws Exception {
        return new JavaProcess(
            directory, "broker", "org.apache.rocketmq.broker.BrokerStartup", 768, keys);
    }

    @Override
    public Process process() {
        return process;
    }

    @Override
    public int stop() throws Exception {
        final int code = terminate(STOP_SECONDS, () -> "the Java " + name);
        // A JVM that a signal stopped in good order ends with 128 + 15.
        return code == 143 ? 0 : code;
    }
}
