package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.server.store.PrivateFiles;
import dev.beckon.server.store.StoreException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The keys from which every device's key is derived, and two that only this server uses. Made on
 * the first start, kept in {@code master.keys}:
 *
 * <pre>
 * key.1 = 64 hexadecimal digits            a master key; the number is the key ID, 1 to 255
 * table-key = 32 hexadecimal digits        hashes device IDs in the registrar's table
 * path-token-key = 32 hexadecimal digits   signs path tokens
 * checksum = 16 hexadecimal digits         first bytes of the SHA-256 of the lines above
 * </pre>
 *
 * <p>The checksum is there because one wrong digit would silence the whole fleet without a word.
 * Two master keys can be live: {@link #rotate} adds one, {@link #retire} takes one away.
 * Thread-safe; the arrays are the keys themselves, not copies: nobody changes them.
 */
public final class MasterKeys {

  static final String FILE = "master.keys";

  private static final int MAX_BYTES = 64 * 1024;
  private static final int MAX_KEY_ID = 255; // one byte in the datagrams
  private static final int SERVER_KEY_BYTES = 16;
  private static final String KEY = "key.";
  private static final String TABLE_KEY = "table-key";
  private static final String PATH_TOKEN_KEY = "path-token-key";
  private static final String CHECKSUM = "checksum";

  /** So that devices can move from one to the next in their own time. */
  static final int MAX_LIVE = 2;

  /**
   * A master key.
   *
   * @param id 1 to 255
   * @param key 32 bytes, not to be changed
   */
  @SuppressWarnings("ArrayRecordComponent") // carried, never compared
  record Key(int id, byte[] key) {}

  private final Path file;
  private volatile byte[] @Nullable [] keys; // by ID; replaced as a whole, never changed
  private final byte[] tableKey;
  private final byte[] pathTokenKey;

  private MasterKeys(Path file, byte[] @Nullable [] keys, byte[] tableKey, byte[] pathTokenKey) {
    this.file = file;
    this.keys = keys;
    this.tableKey = tableKey;
    this.pathTokenKey = pathTokenKey;
  }

  /**
   * Opens the keys of a data folder; makes them if there are none.
   *
   * @throws StoreException if their file is unreadable or damaged
   */
  public static MasterKeys openOrCreate(Path folder) {
    Path file = folder.resolve(FILE);
    Optional<byte[]> content = PrivateFiles.read(file, MAX_BYTES);
    if (content.isEmpty()) {
      SecureRandom random = new SecureRandom();
      byte[] @Nullable [] keys = new byte @Nullable [MAX_KEY_ID + 1][];
      keys[1] = random(random, DeviceKey.LENGTH);
      MasterKeys fresh =
          new MasterKeys(
              file, keys, random(random, SERVER_KEY_BYTES), random(random, SERVER_KEY_BYTES));
      fresh.write(keys);
      return fresh;
    }
    return parse(file, content.get());
  }

  /**
   * Reads the keys of a server from their file.
   *
   * @throws StoreException if there is no such file, or it is unreadable or damaged
   */
  public static MasterKeys read(Path file) {
    return parse(
        file,
        PrivateFiles.read(file, MAX_BYTES)
            .orElseThrow(
                () ->
                    new StoreException(
                        file + ": no such file (expected a server's " + FILE + ")")));
  }

  /**
   * Makes a further master key, from which new device keys are derived; the others stay live.
   * Durable on return, and then known to every thread.
   *
   * @return its ID
   * @throws IllegalStateException if two are live already, or all IDs are used up
   * @throws StoreException if the file cannot be written
   */
  synchronized int rotate() {
    if (liveIds().size() >= MAX_LIVE) {
      throw new IllegalStateException("master keys: two are live already (expected one)");
    }
    int id = newestId() + 1;
    if (id > MAX_KEY_ID) {
      throw new IllegalStateException("master keys: all " + MAX_KEY_ID + " IDs are used up");
    }
    byte[] @Nullable [] next = keys.clone();
    next[id] = random(new SecureRandom(), DeviceKey.LENGTH);
    write(next);
    keys = next;
    return id;
  }

  /**
   * Forgets a master key: what is derived from it counts no more. Durable on return, and then known
   * to every thread.
   *
   * @throws IllegalStateException if it is the newest, or not live
   * @throws StoreException if the file cannot be written
   */
  synchronized void retire(int keyId) {
    if (key(keyId) == null || keyId == newestId()) {
      throw new IllegalStateException("key ID: " + keyId + " (expected an older live one)");
    }
    byte[] @Nullable [] next = keys.clone();
    next[keyId] = null;
    write(next);
    keys = next;
  }

  /** The IDs of the live keys, the newest last. */
  List<Integer> liveIds() {
    byte[] @Nullable [] now = keys;
    return IntStream.range(0, now.length).filter(id -> now[id] != null).boxed().toList();
  }

  /** A master key, 32 bytes, not a copy; null if no such key is live. Allocates nothing. */
  public byte @Nullable [] key(int keyId) {
    byte[] @Nullable [] now = keys;
    return keyId >= 0 && keyId < now.length ? now[keyId] : null;
  }

  /** ID of the key that new device keys are derived from. */
  public int newestId() {
    return newest().id();
  }

  /** The newest master key, with its ID: asked for one after the other they may not fit. */
  Key newest() {
    byte[] @Nullable [] now = keys;
    for (int id = now.length - 1; id > 0; id--) {
      byte[] key = now[id];
      if (key != null) {
        return new Key(id, key);
      }
    }
    throw new IllegalStateException("no master key");
  }

  /** Key of the registrar's SipHash, 16 bytes. */
  public byte[] tableKey() {
    return tableKey;
  }

  /** Key of the path tokens, 16 bytes. */
  public byte[] pathTokenKey() {
    return pathTokenKey;
  }

  private void write(byte[] @Nullable [] live) {
    StringBuilder lines = new StringBuilder();
    for (int id = 1; id < live.length; id++) {
      byte[] key = live[id];
      if (key != null) {
        line(lines, KEY + id, key);
      }
    }
    line(lines, TABLE_KEY, tableKey);
    line(lines, PATH_TOKEN_KEY, pathTokenKey);
    String text = lines + CHECKSUM + " = " + checksum(lines.toString()) + "\n";
    PrivateFiles.write(file, text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void line(StringBuilder lines, String name, byte[] value) {
    lines.append(name).append(" = ").append(HexFormat.of().formatHex(value)).append('\n');
  }

  private static byte[] random(SecureRandom random, int bytes) {
    byte[] key = new byte[bytes];
    random.nextBytes(key);
    return key;
  }

  private static String checksum(String lines) {
    byte[] hash = FleetCa.sha256(lines.getBytes(StandardCharsets.US_ASCII));
    return HexFormat.of().formatHex(Arrays.copyOf(hash, 8));
  }

  private static MasterKeys parse(Path file, byte[] content) {
    String text = new String(content, StandardCharsets.US_ASCII);
    Map<String, String> values = new LinkedHashMap<>();
    for (String line : text.lines().toList()) {
      String[] parts = line.split(" = ", 2);
      if (parts.length != 2 || values.put(parts[0], parts[1]) != null) {
        throw PrivateFiles.damaged(file, "a line is not NAME = VALUE, or there twice", null);
      }
    }
    String covered = text.substring(0, Math.max(0, text.indexOf(CHECKSUM)));
    if (!checksum(covered).equals(values.remove(CHECKSUM))) {
      throw PrivateFiles.damaged(file, "its checksum does not match", null);
    }
    try {
      byte[] tableKey = hex(values.remove(TABLE_KEY), SERVER_KEY_BYTES);
      byte[] pathTokenKey = hex(values.remove(PATH_TOKEN_KEY), SERVER_KEY_BYTES);
      byte[] @Nullable [] keys = new byte @Nullable [MAX_KEY_ID + 1][];
      for (Map.Entry<String, String> value : values.entrySet()) {
        keys[keyId(value.getKey())] = hex(value.getValue(), DeviceKey.LENGTH);
      }
      if (values.isEmpty()) {
        throw new IllegalArgumentException("no master key");
      }
      return new MasterKeys(file, keys, tableKey, pathTokenKey);
    } catch (IllegalArgumentException e) {
      // Its own message could repeat a part of a key.
      throw PrivateFiles.damaged(file, "a key is missing or has another length", null);
    }
  }

  private static int keyId(String name) {
    int id = name.startsWith(KEY) ? Integer.parseInt(name.substring(KEY.length())) : 0;
    if (id < 1 || id > MAX_KEY_ID) {
      throw new IllegalArgumentException("no key ID");
    }
    return id;
  }

  private static byte[] hex(@Nullable String text, int bytes) {
    if (text == null || text.length() != 2 * bytes) {
      throw new IllegalArgumentException("another length");
    }
    return HexFormat.of().parseHex(text);
  }
}
