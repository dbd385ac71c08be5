package dev.beckon.server.command;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.TreeMap;

/** SHA-256 over parts, every part behind its length. Not thread-safe. */
final class ContentHash {

  private final MessageDigest digest;

  ContentHash() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JDK has no SHA-256", e);
    }
  }

  /**
   * What makes two requests the same, but for the values of secret parts: it is kept for as long as
   * the command, and a short secret could be guessed from it.
   */
  static byte[] of(NewCommand command) {
    ContentHash hash = new ContentHash();
    hash.add(command.deviceId().value()).add(command.action());
    Map<String, String> shown = new TreeMap<>(SecretParts.shownArgs(command));
    shown.forEach((name, value) -> hash.add(name).add(value));
    byte[] body = command.body();
    hash.add(body == null || command.secretBody() ? new byte[0] : body);
    if (command.hasSecrets()) {
      hash.add(command.secretBody() ? "secret body" : "secret arguments");
      command.secretArgs().stream().sorted().forEach(hash::add);
    }
    return hash.digest();
  }

  ContentHash add(String text) {
    return add(text.getBytes(StandardCharsets.UTF_8));
  }

  ContentHash add(byte[] part) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(part.length).flip());
    digest.update(part);
    return this;
  }

  byte[] digest() {
    return digest.digest();
  }
}
