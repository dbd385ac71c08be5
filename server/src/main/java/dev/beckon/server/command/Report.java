package dev.beckon.server.command;

import dev.beckon.protocol.Redaction;
import dev.beckon.protocol.session.Update;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A device's update, checked.
 *
 * @param deviceTime as the device says; null if it does not
 * @param note what else the device wants an operator to know; empty if nothing
 */
record Report(
    String commandId,
    CommandState state,
    @Nullable Instant deviceTime,
    @Nullable String reason,
    Map<String, String> result,
    int progressPercent,
    String progressText,
    long bodyBytes,
    String note) {

  private static final int MAX_NOTE_CHARS = 1_000;

  /**
   * @throws IllegalArgumentException if no device can report this
   */
  static Report of(Update update, byte @Nullable [] body) {
    int bodyBytes = body == null ? 0 : body.length;
    if (bodyBytes > Commands.MAX_BODY_BYTES) {
      throw new IllegalArgumentException(
          "result body: "
              + bodyBytes
              + " bytes (expected at most "
              + Commands.MAX_BODY_BYTES
              + ")");
    }
    long deviceTime = update.getDeviceTimeMillis();
    return new Report(
        update.getCommandId(),
        state(update),
        // Times of year 10000 and later have another text form; no clock that far off helps
        // anybody.
        deviceTime > 0 && deviceTime < 253_402_300_800_000L
            ? Instant.ofEpochMilli(deviceTime)
            : null,
        update.getReason().isEmpty() ? null : update.getReason(),
        Map.copyOf(update.getResultMap()),
        Math.clamp(update.getProgressPercent(), 0, 100),
        update.getProgressText(),
        bodyBytes,
        update.getNote().length() <= MAX_NOTE_CHARS
            ? update.getNote()
            : update.getNote().substring(0, MAX_NOTE_CHARS) + "…");
  }

  private static CommandState state(Update update) {
    return switch (update.getState()) {
      case DELIVERED -> CommandState.DELIVERED;
      case RUNNING -> CommandState.RUNNING;
      case SUCCEEDED -> CommandState.SUCCEEDED;
      case FAILED -> CommandState.FAILED;
      case REJECTED -> CommandState.REJECTED;
      case EXPIRED -> CommandState.EXPIRED;
      case CANCELLED -> CommandState.CANCELLED;
      case UNKNOWN -> CommandState.UNKNOWN;
      case QUEUED, STATE_UNSPECIFIED, UNRECOGNIZED ->
          throw new IllegalArgumentException(
              "state: " + update.getState() + " (expected a state that devices report)");
    };
  }

  /** The report without the command's secrets. */
  Report redacted(Redaction secrets) {
    return secrets.isEmpty()
        ? this
        : new Report(
            commandId,
            state,
            deviceTime,
            reason == null ? null : secrets.text(reason),
            secrets.texts(result),
            progressPercent,
            secrets.text(progressText),
            bodyBytes,
            secrets.text(note));
  }

  /** What the timeline says about the state that this report brought. */
  TimelineEntry entry(Instant now) {
    String event =
        switch (state) {
          case DELIVERED -> "delivered";
          case RUNNING -> "started";
          default -> "finished";
        };
    Map<String, String> details = new HashMap<>();
    if (deviceTime != null) {
      details.put("deviceTime", deviceTime.toString());
    }
    if (state.ended()) {
      details.put("state", state.name());
      if (reason != null) {
        details.put("reason", reason);
      }
    }
    if (!note.isEmpty()) {
      details.put("note", note);
    }
    return new TimelineEntry(now, event, details);
  }

  /** The entry of an end that this server decided. */
  static TimelineEntry finished(Instant now, CommandState state, String reason) {
    return new TimelineEntry(now, "finished", Map.of("state", state.name(), "reason", reason));
  }

  /** What the timeline says about progress; empty if none was reported. */
  Optional<TimelineEntry> progress(Instant now) {
    if (state != CommandState.RUNNING || (progressPercent == 0 && progressText.isEmpty())) {
      return Optional.empty();
    }
    Map<String, String> details = new HashMap<>();
    if (progressPercent > 0) {
      details.put("percent", Integer.toString(progressPercent));
    }
    if (!progressText.isEmpty()) {
      details.put("text", progressText);
    }
    return Optional.of(new TimelineEntry(now, "progress", details));
  }
}
