package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.cli.terminal.Ink;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows how far a group command is: a bar on a terminal, lines elsewhere. Not thread-safe. */
final class GroupView {

  private static final int BAR_CELLS = 30;

  /** Ends before what is under way, as they are read. */
  private static final List<String> STATES =
      List.of(
          "SUCCEEDED",
          "FAILED",
          "REJECTED",
          "EXPIRED",
          "CANCELLED",
          "UNKNOWN",
          "RUNNING",
          "DELIVERED",
          "QUEUED");

  private static final List<String> UNDER_WAY = List.of("QUEUED", "DELIVERED", "RUNNING");

  private final PrintStream to;
  private final Ink ink;
  private final boolean bar;
  private String shown = "";

  /**
   * @param bar whether a line can be written over, as on a terminal
   */
  GroupView(PrintStream to, Ink ink, boolean bar) {
    this.to = to;
    this.ink = ink;
    this.bar = bar;
  }

  static boolean isGroup(JsonNode answer) {
    return answer.has("counts");
  }

  static boolean ended(JsonNode group) {
    return group.has("endedAt");
  }

  /**
   * 0 only if all succeeded, and there were any; expired if that is the worst of them. A group that
   * was cancelled while its commands were being added has fewer of them than devices.
   */
  static int exitCode(JsonNode group) {
    JsonNode counts = group.path("counts");
    int otherwise = 0;
    for (String state : STATES) {
      if (!state.equals("SUCCEEDED") && !state.equals("EXPIRED")) {
        otherwise += counts.path(state).asInt();
      }
    }
    int devices = group.path("devices").asInt();
    if (otherwise > 0 || devices == 0 || endedCommands(group) < devices) {
      return ExitCode.FAILED;
    }
    return counts.path("EXPIRED").asInt() > 0 ? ExitCode.EXPIRED : ExitCode.DONE;
  }

  /** The devices in a few words: {@code hall,north (120)}. */
  static String devices(JsonNode group) {
    List<String> labels = new ArrayList<>();
    group.path("labels").forEach(label -> labels.add(label.asText()));
    return String.join(",", labels) + " (" + group.path("devices").asInt() + ")";
  }

  /** How far it is, in a word: {@code 43 %}. */
  static String progress(JsonNode group) {
    if (ended(group)) {
      return "ENDED";
    }
    return percent(group) + " %";
  }

  /** 0 to 100; while commands are being added there can be more of them than were counted. */
  private static int percent(JsonNode group) {
    int devices = Math.max(1, group.path("devices").asInt());
    return ended(group) ? 100 : (int) Math.min(100, 100L * endedCommands(group) / devices);
  }

  private static int endedCommands(JsonNode group) {
    int ended = 0;
    for (String state : STATES) {
      ended += UNDER_WAY.contains(state) ? 0 : group.path("counts").path(state).asInt();
    }
    return ended;
  }

  /** How many are in each state, without those in which nobody is. */
  static String counts(JsonNode group) {
    return counts(group, new Ink(false));
  }

  private static String counts(JsonNode group, Ink ink) {
    List<String> texts = new ArrayList<>();
    for (String state : STATES) {
      int count = group.path("counts").path(state).asInt();
      if (count > 0) {
        texts.add(count + " " + CommandView.paintState(ink, state));
      }
    }
    return texts.isEmpty() ? "no commands yet" : String.join("  ", texts);
  }

  /** Whether progress takes the same line again and again. */
  boolean writesOver() {
    return bar;
  }

  /** What is sent to whom. */
  void showHead(JsonNode group) {
    to.println(
        ink.bold(group.path("id").asText())
            + " to "
            + ink.bold(devices(group))
            + ": "
            + CommandView.call(group));
  }

  /** Shows how far it is, if that changed. */
  void showProgress(JsonNode group) {
    String counts = counts(group, ink);
    if (counts.equals(shown)) {
      return;
    }
    shown = counts;
    if (!bar) {
      to.println(String.format(Locale.ROOT, "%3d %%  %s", percent(group), counts));
      return;
    }
    int full = BAR_CELLS * percent(group) / 100;
    to.print(
        "\r\u001b[K["
            + "#".repeat(full)
            + ".".repeat(BAR_CELLS - full)
            + String.format(Locale.ROOT, "] %3d %%  ", percent(group))
            + counts);
    to.flush();
  }

  /** The bar has served; what follows begins on a line of its own. */
  void showEnd() {
    if (bar && !shown.isEmpty()) {
      to.println();
    }
  }

  /** Everything about it, once. */
  void showAll(JsonNode group) {
    showHead(group);
    String ended = group.path("endedAt").asText("");
    to.println("accepted " + group.path("acceptedAt").asText());
    to.println("deadline " + group.path("deadline").asText());
    if (!ended.isEmpty()) {
      to.println("ended    " + ended);
    } else if (group.path("cancelAsked").asBoolean()) {
      to.println("being cancelled");
    }
    showProgress(group);
  }
}
