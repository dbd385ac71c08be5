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
import java.util.Map;
import java.util.Optional;
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
 * Immutable; the arrays are the keys themselves, not copies: nobody changes them.
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

  private final byte[] @Nullable [] keys;
  private final int newestId;
  private final byte[] tableKey;
  private final byte[] pathTokenKey;

  private MasterKeys(byte[] @Nullable [] keys, int newestId, byte[] tableKey, byte[] pathTokenKey) {
    this.keys = keys;
    this.newestId = newestId;
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
      byte[] fresh = newFile();
      PrivateFiles.write(file, fresh);
      return parse(file, fresh);
    }
    return parse(file, content.get());
  }

  /** A master key, 32 bytes, not a copy; null if no such key is live. Allocates nothing. */
  public byte @Nullable [] key(int keyId) {
    return keyId >= 0 && keyId < keys.length ? keys[keyId] : null;
  }

  /** ID of the key that new device keys are derived from. */
  public int newestId() {
    return newestId;
  }

  /** The newest master key. */
  byte[] newest() {
    byte[] key = keys[newestId];
    if (key == null) {
      throw new IllegalStateException("no master key " + newestId);
    }
    return key;
  }

  /** Key of the registrar's SipHash, 16 bytes. */
  public byte[] tableKey() {
    return tableKey;
  }

  /** Key of the path tokens, 16 bytes. */
  public byte[] pathTokenKey() {
    return pathTokenKey;
  }

  private static byte[] newFile() {
    SecureRandom random = new SecureRandom();
    String lines =
        KEY
            + "1 = "
            + randomHex(random, DeviceKey.LENGTH)
            + "\n"
            + TABLE_KEY
            + " = "
            + randomHex(random, SERVER_KEY_BYTES)
            + "\n"
            + PATH_TOKEN_KEY
            + " = "
            + randomHex(random, SERVER_KEY_BYTES)
            + "\n";
    return (lines + CHECKSUM + " = " + checksum(lines) + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  private static String randomHex(SecureRandom random, int bytes) {
    byte[] key = new byte[bytes];
    random.nextBytes(key);
    return HexFormat.of().formatHex(key);
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
      int newestId = 0;
      for (Map.Entry<String, String> value : values.entrySet()) {
        int id = keyId(value.getKey());
        keys[id] = hex(value.getValue(), DeviceKey.LENGTH);
        newestId = Math.max(newestId, id);
      }
      if (newestId == 0) {
        throw new IllegalArgumentException("no master key");
      }
      return new MasterKeys(keys, newestId, tableKey, pathTokenKey);
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
