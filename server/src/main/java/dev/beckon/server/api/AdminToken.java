package dev.beckon.server.api;

import dev.beckon.server.store.PrivateFiles;
import dev.beckon.server.store.StoreException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;

/** The token that opens the whole API. Made at the first start, readable by its owner only. */
public final class AdminToken {

  /** In the data folder. */
  public static final String FILE = "admin.token";

  private static final int SECRET_BYTES = 32;
  private static final int MIN_CHARACTERS = 16;
  private static final int MAX_FILE_BYTES = 4096;

  private final byte[] digest;

  private AdminToken(String token) {
    this.digest = sha256(token);
  }

  /**
   * Reads the token of a data folder; makes one if there is none.
   *
   * @throws StoreException if the file cannot be read or written, or holds no token
   */
  public static AdminToken openOrCreate(Path folder, SecureRandom random) {
    Path file = folder.resolve(FILE);
    Optional<byte[]> content = PrivateFiles.read(file, MAX_FILE_BYTES);
    if (content.isPresent()) {
      String token = new String(content.get(), StandardCharsets.US_ASCII).strip();
      if (token.length() < MIN_CHARACTERS) {
        throw new StoreException(
            "admin token: "
                + file
                + " (expected "
                + MIN_CHARACTERS
                + " characters or more; remove the file and start again for a new token)");
      }
      return new AdminToken(token);
    }
    byte[] secret = new byte[SECRET_BYTES];
    random.nextBytes(secret);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    PrivateFiles.write(file, (token + "\n").getBytes(StandardCharsets.US_ASCII));
    return new AdminToken(token);
  }

  /** Compares in a time that tells nothing about the token, not even its length. */
  boolean matches(String candidate) {
    return MessageDigest.isEqual(digest, sha256(candidate));
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
