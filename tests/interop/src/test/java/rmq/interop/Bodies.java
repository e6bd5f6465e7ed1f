package rmq.interop;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.junit.jupiter.api.function.Executable;

import static org.junit.jupiter.api.Assertions.assertThrows;

/** Message bodies, and the broker's own refusal inside what the client throws. */
final class Bodies {
    private Bodies() {
    }

    static byte[] text(String value) {
        return value.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] value) {
        return new String(value, StandardCharsets.UTF_8);
    }

    /** Compresses well. */
    static byte[] repetitive(int size) {
        final byte[] body = new byte[size];
        for (int i = 0; i < size; i++) {
            body[i] = (byte) ('a' + i / 7 % 13);
        }
        return body;
    }

    /** Does not compress. */
    static byte[] random(int size, long seed) {
        final byte[] body = new byte[size];
        new Random(seed).nextBytes(body);
        return body;
    }

    /** The answer of the broker that made {@code action} fail. */
    static MQBrokerException refusal(Executable action) {
        Throwable thrown = assertThrows(Exception.class, action);
        while (thrown != null && !(thrown instanceof MQBrokerException)) {
            thrown = thrown.getCause();
        }
        if (thrown == null) {
            throw new AssertionError("failed, but not by a broker's answer");
        }
        return (MQBrokerException) thrown;
    }
}
