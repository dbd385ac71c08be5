package dev.beckon.server.command;

import java.util.Set;

/**
 * Which parts of a command are secret. Whoever gets a {@link Command} gets {@code (secret)} in
 * their place, unless its source says otherwise.
 *
 * @param args names of the secret arguments
 * @param body whether the command's body is secret, and with it the body of the result
 * @param resultBody whether the result's body is secret: because the command's is, or because a
 *     secret occurs in it
 */
public record Secrecy(Set<String> args, boolean body, boolean resultBody) {

  /** Nothing is secret. */
  public static final Secrecy NONE = new Secrecy(Set.of(), false, false);

  public Secrecy {
    args = Set.copyOf(args);
  }

  /** Whether any part of the command is secret. */
  public boolean any() {
    return body || !args.isEmpty();
  }
}
