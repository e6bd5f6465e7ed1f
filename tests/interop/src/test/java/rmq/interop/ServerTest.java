package rmq.interop;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** Base of test classes whose tests share one server; each test has its own clients. */
abstract class ServerTest {
    protected static Server server;
    protected Clients clients;

    @BeforeAll
    static void startServer() throws Exception {
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
            server.deleteDataOnClose();
            server.close();
        }
    }
}
