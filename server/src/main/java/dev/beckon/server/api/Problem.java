package dev.beckon.server.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** Ends a request with an error, as RFC 9457 has it. Carries no stack trace: nobody needs one. */
final class Problem extends RuntimeException {

  static final String CONTENT_TYPE = "application/problem+json";

  private final ErrorCode code;
  private final @Nullable String hint;

  /**
   * @param detail for people: {@code name: value (expected …)}
   * @param hint what to do about it
   */
  Problem(ErrorCode code, String detail, @Nullable String hint) {
    super(detail, null, false, false);
    this.code = code;
    this.hint = hint;
  }

  Problem(ErrorCode code, String detail) {
    this(code, detail, null);
  }

  ErrorCode code() {
    return code;
  }

  ObjectNode json() {
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("type", "about:blank");
    json.put("title", code.title());
    json.put("status", code.status());
    json.put("detail", String.valueOf(getMessage()));
    json.put("code", code.code());
    if (hint != null) {
      json.put("hint", hint);
    }
    return json;
  }
}
