package rmq.golden;

import java.io.File;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.rocketmq.store.ConsumeQueue;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.StoreCheckpoint;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.index.IndexFile;

/** Files of a store other than the commit log. */
final class StoreFiles {
  private StoreFiles() {}

  static void write(Golden golden) throws Exception {
    Path root = Files.createTempDirectory("golden");
    checkpoint(golden, root);
    consumeQueue(golden, root);
    indexFile(golden, root);
  }

  private static void checkpoint(Golden golden, Path root) throws Exception {
    Path file = root.resolve("checkpoint");
    StoreCheckpoint checkpoint = new StoreCheckpoint(file.toString());
    checkpoint.setPhysicMsgTimestamp(1700000000456L);
    checkpoint.setLogicsMsgTimestamp(1700000000400L);
    checkpoint.setIndexMsgTimestamp(1700000000300L);
    checkpoint.setMasterFlushedOffset(1073741888L);
    checkpoint.setConfirmPhyOffset(1073742000L);
    checkpoint.flush();
    golden.write("checkpoint.bin", Files.readAllBytes(file), "`StoreCheckpoint.flush()`");
    golden.write("checkpoint_min.txt", checkpoint.getMinTimestamp() + " " + checkpoint.getMinTimestampIndex(),
        "`StoreCheckpoint.getMinTimestamp()` and `getMinTimestampIndex()` of it");
  }

  private static void consumeQueue(Golden golden, Path root) throws Exception {
    int unitsPerFile = 5;
    int fileBytes = ConsumeQueue.CQ_STORE_UNIT_SIZE * unitsPerFile;
    DefaultMessageStore store = Records.newStore(new MessageStoreConfig());
    ConsumeQueue queue = new ConsumeQueue("TopicTest", 3, root.resolve("cq").toString(), fileBytes, store);
    Method put = ConsumeQueue.class.getDeclaredMethod("putMessagePositionInfo", long.class, int.class, long.class, long.class);
    put.setAccessible(true);
    // Its first entry is number 2, so the file begins with filler entries.
    put.invoke(queue, 1073741888L, 231, (long) "TagA".hashCode(), 2L);
    put.invoke(queue, 1073742119L, 91, 0L, 3L);
    put.invoke(queue, 1073742210L, 4194304, (long) "T\u00e4g\ud83d\ude00".hashCode(), 4L);
    put.invoke(queue, 1077936514L, 100, (long) "polygenelubricants".hashCode(), 5L);
    queue.flush(0);
    File[] files = root.resolve("cq/TopicTest/3").toFile().listFiles();
    java.util.Arrays.sort(files);
    for (File file : files) {
      golden.write("consume_queue_" + file.getName() + ".bin", Files.readAllBytes(file.toPath()),
          "`ConsumeQueue.putMessagePositionInfo`, 5 entries a file, file " + file.getName());
    }
  }

  private static void indexFile(Golden golden, Path root) throws Exception {
    Path file = root.resolve("20231114221320000");
    IndexFile index = new IndexFile(file.toString(), 7, 10, 0, 0);
    index.putKey("TopicTest#k1", 1073741888L, 1700000000456L);
    index.putKey("TopicTest#k2", 1073741888L, 1700000000456L);
    index.putKey("TopicTest#k1", 1073742119L, 1700000005999L);
    index.putKey("T\u00e4#\ud83d\ude00", 1073742210L, 1700000100000L);
    index.flush();
    golden.write("index_file.bin", Files.readAllBytes(file), "`IndexFile.putKey`, 7 slots, 10 entries");

    Path fullFile = root.resolve("20231114221320001");
    IndexFile full = new IndexFile(fullFile.toString(), 7, 10, index.getEndPhyOffset(), index.getEndTimestamp());
    // Three keys share a slot, two of them a hash, and one has the hash without an absolute value.
    String[] keys = {"T#Aa", "T#BB", "T#1", "polygenelubricants", "T#8", "T#Aa", "T#", "T#x y", "T#Aa"};
    for (int i = 0; i < keys.length; i++) {
      full.putKey(keys[i], 1073743000L + 100 * i, 1700000103500L + 750 * i);
    }
    full.flush();
    golden.write("index_file_full.bin", Files.readAllBytes(fullFile), "the same, the file after it, full: full="
        + full.isWriteFull());
  }
}
