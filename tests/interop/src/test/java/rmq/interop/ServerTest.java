package rmq.interop;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Base of test classes whose tests share one server; each test has its own clients. */
abstract class ServerTest {
    protected static Server server;
    private static boolean failed;

    @RegisterExtension
    static final AfterTestExecutionCallback WATCH =
        context -> failed |= context.getExecutionException().isPresent();

    protected Clients clients;

    @BeforeAll
    static void startServer() throws Exception {
        failed = false;
        server = Server.started();
    }

    @BeforeEach
    void openClients() {
        clients = new Clients(server);
    }

    @AfterEach
    void closeClients() {
        clients.close();
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            if (failed) {
                System.out.println("data and logs of the server: " + server.directory);
            } else {
                server.deleteDataOnClose();
            }
            server.close();
        }
    }
}
