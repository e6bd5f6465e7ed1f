import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/** mqadmin again and again in one process, for tests that ask much: a line of tab-separated arguments in, what it printed and a line "===" out. */
class Mqadmin {
    public static void main(String[] ignored) throws Exception {
        PrintStream answer = System.out;
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = commands.readLine()) != null;) {
            ByteArrayOutputStream printed = new ByteArrayOutputStream();
            PrintStream both = new PrintStream(printed, true);
            System.setOut(both);
            System.setErr(both);
            MQAdminStartup.main0(line.split("\t"), null);
            both.flush();
            answer.println(printed);
            answer.println("===");
            answer.flush();
        }
    }
}
