package dev.beckon.device;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a command ended, and what it returns. Immutable. */
public final class Result {
  /** Name of the value that says, for programs, how a command failed. */
  public static final String FAILURE = "failure";

  private static final Result OK = new Result(null, Map.of(), new byte[0]);

  private final @Nullable String failure;
  private final Map<String, String> values;
  private final byte[] body;

  private Result(@Nullable String failure, Map<String, String> values, byte[] body) {
    this.failure = failure;
    this.values = values;
    this.body = body;
  }

  /** It succeeded. */
  public static Result ok() {
    return OK;
  }

  /** It succeeded and returns a value. */
  public static Result of(String name, Object value) {
    return OK.with(name, value);
  }

  /** It failed; {@code reason} is for people. */
  public static Result failed(String reason) {
    return new Result(reason, Map.of(), new byte[0]);
  }

  /**
   * It failed.
   *
   * @param word for programs, such as {@code timed-out}; becomes the value {@link #FAILURE}
   * @param reason for people
   */
  public static Result failed(String word, String reason) {
    return failed(reason).with(FAILURE, word);
  }

  /** Returns a value as well; all of them together take at most 60,000 bytes. */
  public Result with(String name, Object value) {
    Map<String, String> more = new LinkedHashMap<>(values);
    more.put(name, value.toString());
    return new Result(failure, Map.copyOf(more), body);
  }

  /** Returns bytes as well, such as a picture or a log; not copied. */
  public Result withBody(byte[] newBody) {
    return new Result(failure, values, newBody);
  }

  /** Why it failed; null if it succeeded. */
  public @Nullable String failure() {
    return failure;
  }

  public Map<String, String> values() {
    return values;
  }

  /** Not copied; empty if there is none. */
  public byte[] body() {
    return body;
  }
}
