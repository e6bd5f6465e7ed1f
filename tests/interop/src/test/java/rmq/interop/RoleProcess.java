package rmq.interop;

/** A running name server or broker, or both, of either kind. */
interface RoleProcess {
    Process process();

    /** SIGTERM; returns the exit code, 0 for an end in good order. */
    int stop() throws Exception;

    /** SIGKILL. */
    default void kill() throws InterruptedException {
        process().destroyForcibly();
        process().waitFor();
    }

    default boolean running() {
        return process().isAlive();
    }
}
