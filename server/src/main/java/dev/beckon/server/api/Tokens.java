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

/** The tokens that open the API. Made at the first start, readable by their owner only. */
public final class Tokens {

  /** In the data folder; opens everything. */
  public static final String ADMIN_FILE = "admin.token";

  /** In the data folder; opens what {@link Access#OPERATOR} may. */
  public static final String OPERATOR_FILE = "operator.token";

  private static final int SECRET_BYTES = 32;
  private static final int MIN_CHARACTERS = 16;
  private static final int MAX_FILE_BYTES = 4096;

  private final byte[] admin;
  private final byte[] operator;

  private Tokens(String admin, String operator) {
    this.admin = sha256(admin);
    this.operator = sha256(operator);
  }

  /**
   * Reads the tokens of a data folder; makes those that are missing.
   *
   * @throws StoreException if a file cannot be read or written, or holds no token
   */
  public static Tokens openOrCreate(Path folder, SecureRandom random) {
    return new Tokens(
        token(folder.resolve(ADMIN_FILE), "admin token", random),
        token(folder.resolve(OPERATOR_FILE), "operator token", random));
  }

  private static String token(Path file, String name, SecureRandom random) {
    Optional<byte[]> content = PrivateFiles.read(file, MAX_FILE_BYTES);
    if (content.isPresent()) {
      String token = new String(content.get(), StandardCharsets.US_ASCII).strip();
      if (token.length() < MIN_CHARACTERS) {
        throw new StoreException(
            name
                + ": "
                + file
                + " (expected "
                + MIN_CHARACTERS
                + " characters or more; remove the file and start again for a new token)");
      }
      return token;
    }
    byte[] secret = new byte[SECRET_BYTES];
    random.nextBytes(secret);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
    PrivateFiles.write(file, (token + "\n").getBytes(StandardCharsets.US_ASCII));
    return token;
  }

  /** What the candidate opens. Takes a time that tells nothing about the tokens. */
  Optional<Access> access(String candidate) {
    byte[] digest = sha256(candidate);
    boolean isAdmin = MessageDigest.isEqual(admin, digest);
    boolean isOperator = MessageDigest.isEqual(operator, digest);
    if (isAdmin) {
      return Optional.of(Access.ADMIN);
    }
    return isOperator ? Optional.of(Access.OPERATOR) : Optional.empty();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
