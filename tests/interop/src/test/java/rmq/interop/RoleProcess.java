package rmq.interop;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A running name server or broker, or both, of either kind. */
interface RoleProcess {
    Process process();

    /** SIGTERM; returns the exit code, 0 for an end in good order. */
    int stop() throws Exception;

    /** SIGTERM; returns the exit code as it is. {@code what} is for the message of a failure. */
    default int terminate(int seconds, Supplier<String> what) throws InterruptedException {
        process().destroy();
        if (!process().waitFor(seconds, TimeUnit.SECONDS)) {
            kill();
            throw new AssertionError("SIGTERM did not end " + what.get());
        }
        return process().exitValue();
    }

    /** SIGKILL. */
    default void kill() throws InterruptedException {
        process().destroyForcibly();
        process().waitFor();
    }

    default boolean running() {
        return process().isAlive();
    }
}
