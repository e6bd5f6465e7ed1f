package rmq.interop;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.ArrayList;
import java.util.List;

/** Waits with a deadline: for a condition, or for the next elements of a queue. */
final class Await {
    /** A condition that may fail by exception; an exception counts as "not yet". */
    interface Condition {
        boolean holds() throws Exception;
    }

    static final Duration DEADLINE = Duration.ofSeconds(30);

    private Await() {
    }

    static void until(String what, Condition condition) throws InterruptedException {
        until(what, DEADLINE, condition);
    }

    static void until(String what, Duration deadline, Condition condition)
        throws InterruptedException {
        final long end = System.nanoTime() + deadline.toNanos();
        Exception last = null;
        for (;;) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                last = e;
            }
            if (System.nanoTime() > end) {
                throw new AssertionError("not within " + deadline + ": " + what, last);
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    /** Takes exactly {@code count} elements; fails when they do not come in time. */
    static <T> List<T> take(String what, BlockingQueue<T> queue, int count)
        throws InterruptedException {
        final List<T> taken = new ArrayList<>(count);
        final long end = System.nanoTime() + DEADLINE.toNanos();
        while (taken.size() < count) {
            final T next = queue.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
            if (next == null) {
                throw new AssertionError(
                    "only " + taken.size() + " of " + count + " within " + DEADLINE + ": " + what);
            }
            taken.add(next);
        }
        return taken;
    }
}
