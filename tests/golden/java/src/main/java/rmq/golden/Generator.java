package rmq.golden;

import java.nio.file.Path;
import org.apache.rocketmq.common.MQVersion;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** Writes every golden file into the directory given as the only argument. */
public final class Generator {
  private Generator() {}

  public static void main(String[] args) throws Exception {
    System.setProperty(RemotingCommand.REMOTING_VERSION_KEY, Integer.toString(MQVersion.Version.V5_3_3.ordinal()));
    Golden golden = new Golden(Path.of(args[0]));
    Frames.write(golden);
    RouteBodies.write(golden);
    ClientBodies.write(golden);
    ConfigFiles.write(golden);
    Records.write(golden);
    StoreFiles.write(golden);
    Texts.write(golden);
    golden.writeTable();
    System.exit(0);  // RocketMQ's classes have started threads
  }
}
