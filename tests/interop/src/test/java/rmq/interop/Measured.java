package rmq.interop;

import java.time.Duration;
import java.util.Locale;

/** What a test took the time of; run_all.py prints these lines beside the results. */
final class Measured {
    static final String PREFIX = "measured: ";

    private Measured() {
    }

    static void print(String what, Duration took, String rule) {
        System.out.println(PREFIX + what + ": "
            + String.format(Locale.ROOT, "%.2f s", took.toMillis() / 1000.0) + " (" + rule + ")");
    }
}
