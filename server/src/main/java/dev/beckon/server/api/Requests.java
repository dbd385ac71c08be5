package dev.beckon.server.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.identity.Labels;
import dev.beckon.server.store.StoreException;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Reads requests: each mistake in one becomes a {@link Problem} that names it. */
final class Requests {

  static final int DEFAULT_LIMIT = 100;
  static final int MAX_LIMIT = 500;

  /** Longest {@code ?wait=}; a caller with more patience asks again. */
  static final Duration MAX_WAIT = Duration.ofSeconds(60);

  private static final Duration STORE_PATIENCE = Duration.ofSeconds(30);

  private Requests() {}

  static DeviceId deviceId(String text) {
    try {
      return new DeviceId(text);
    } catch (IllegalArgumentException malformed) {
      throw new Problem(ErrorCode.DEVICE_ID_INVALID, String.valueOf(malformed.getMessage()));
    }
  }

  /** Refuses query parameters that nobody reads: a misspelt one must not be passed over. */
  static void allowQuery(Context ctx, String... names) {
    Set<String> known = Set.of(names);
    for (var entry : ctx.queryParamMap().entrySet()) {
      if (!known.contains(entry.getKey())) {
        throw new Problem(
            ErrorCode.PARAMETER_INVALID,
            "query parameter: "
                + entry.getKey()
                + (known.isEmpty()
                    ? " (expected none)"
                    : " (expected one of " + String.join(", ", names) + ")"));
      }
      if (entry.getValue().size() > 1) {
        throw new Problem(
            ErrorCode.PARAMETER_INVALID,
            entry.getKey() + ": given " + entry.getValue().size() + " times (expected once)");
      }
    }
  }

  static int limit(Context ctx) {
    String text = ctx.queryParam("limit");
    if (text == null) {
      return DEFAULT_LIMIT;
    }
    try {
      int limit = Integer.parseInt(text);
      if (limit >= 1 && limit <= MAX_LIMIT) {
        return limit;
      }
    } catch (NumberFormatException notANumber) {
      // Refused below, as a number out of range is.
    }
    throw new Problem(
        ErrorCode.PARAMETER_INVALID, "limit: " + text + " (expected 1 to " + MAX_LIMIT + ")");
  }

  static Duration wait(Context ctx) {
    String text = ctx.queryParam("wait");
    return text == null ? Duration.ZERO : TimeText.duration("wait", text, MAX_WAIT);
  }

  /** The request's JSON object; an empty one if the request has no body. */
  static ObjectNode jsonOrNothing(Context ctx) {
    if (ctx.bodyAsBytes().length == 0) {
      return Json.MAPPER.createObjectNode();
    }
    return json(ctx);
  }

  static ObjectNode json(Context ctx) {
    if (!isJson(ctx.contentType())) {
      throw contentType(ctx, "application/json");
    }
    return json("body", ctx.body());
  }

  static boolean isJson(@Nullable String contentType) {
    return contentType != null
        && contentType.split(";", 2)[0].strip().equalsIgnoreCase("application/json");
  }

  static Problem contentType(Context ctx, String expected) {
    return new Problem(
        ErrorCode.CONTENT_TYPE_UNKNOWN,
        "Content-Type: " + ctx.contentType() + " (expected " + expected + ")");
  }

  static ObjectNode json(String name, String text) {
    JsonNode node;
    try {
      node = Json.MAPPER.readTree(text);
    } catch (JsonProcessingException malformed) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          // Without the parser's message: it quotes the text, and part of that may be a secret.
          name
              + ": not JSON at line "
              + malformed.getLocation().getLineNr()
              + ", column "
              + malformed.getLocation().getColumnNr()
              + " (expected a JSON object)");
    }
    if (!(node instanceof ObjectNode object)) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED, name + ": not an object (expected a JSON object)");
    }
    return object;
  }

  static void allowKeys(ObjectNode json, String... names) {
    List<String> known = List.of(names);
    for (var entry : json.properties()) {
      if (!known.contains(entry.getKey())) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED,
            entry.getKey() + ": unknown (expected one of " + String.join(", ", names) + ")");
      }
    }
  }

  static Optional<String> text(ObjectNode json, String name) {
    JsonNode node = json.get(name);
    if (node == null) {
      return Optional.empty();
    }
    if (!node.isTextual()) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED, name + ": " + shown(node) + " (expected a string)");
    }
    return Optional.of(node.textValue());
  }

  /** The strings of a list; each mistake names the list. */
  static List<String> texts(ObjectNode json, String name) {
    JsonNode node = json.get(name);
    if (node == null || !node.isArray()) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED,
          name + ": " + (node == null ? "missing" : shown(node)) + " (expected a list of strings)");
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode each : node) {
      if (!each.isTextual()) {
        throw new Problem(
            ErrorCode.REQUEST_MALFORMED, name + ": " + shown(each) + " (expected strings)");
      }
      texts.add(each.textValue());
    }
    return texts;
  }

  /** Labels that choose devices. */
  static SortedSet<String> chosenLabels(List<String> labels) {
    try {
      SortedSet<String> checked = Labels.checked(labels, Labels.MAX_CHOSEN);
      if (!checked.isEmpty()) {
        return checked;
      }
    } catch (IllegalArgumentException invalid) {
      throw new Problem(ErrorCode.LABEL_INVALID, String.valueOf(invalid.getMessage()));
    }
    throw new Problem(
        ErrorCode.LABEL_INVALID, "labels: none (expected 1 to " + Labels.MAX_CHOSEN + ")");
  }

  /** True or false under this name; false if it is not there. */
  static boolean flag(ObjectNode json, String name) {
    JsonNode node = json.get(name);
    if (node == null) {
      return false;
    }
    if (!node.isBoolean()) {
      throw new Problem(
          ErrorCode.REQUEST_MALFORMED, name + ": " + shown(node) + " (expected true or false)");
    }
    return node.booleanValue();
  }

  static String shown(JsonNode node) {
    String text = node.toString();
    return text.length() <= 60 ? text : text.substring(0, 60) + "…";
  }

  /** The store's answer. Blocks this request's thread, which is a virtual one. */
  static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(STORE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new Problem(
          ErrorCode.STORE_FAILED,
          "store: no answer in "
              + STORE_PATIENCE.toSeconds()
              + " s (ask again whether it was done; an Idempotency-Key makes that safe)");
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw new Problem(ErrorCode.NOT_READY, "server: stops (ask again later)");
    } catch (ExecutionException failed) {
      Throwable cause = failed.getCause();
      if (cause instanceof StoreException store) {
        throw store;
      }
      if (cause instanceof SQLException
          || cause instanceof IOException
          || cause instanceof UncheckedIOException) {
        throw new StoreException(
            "store: not kept: " + cause.getMessage() + " (check the disk)", cause);
      }
      throw new IllegalStateException("the store failed", cause);
    }
  }
}
