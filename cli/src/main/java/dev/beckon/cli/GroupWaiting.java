package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;

/** Follows a group command to its end. */
final class GroupWaiting {

  /** How often it is asked; the server answers sooner when the group has ended. */
  private static final String REFRESH = "?wait=1s";

  /** Where lines add up they come less often. */
  private static final int ASKS_PER_LINE = 5;

  private static final Duration PAUSE = Duration.ofMillis(500);

  /** Asks without an answer before the server counts as gone; it may only be restarting. */
  private static final int PATIENCE = 60;

  private final Api api;
  private final GroupView view;
  private final boolean shows;

  GroupWaiting(Api api, GroupView view, boolean shows) {
    this.api = api;
    this.view = view;
    this.shows = shows;
  }

  JsonNode follow(JsonNode accepted) {
    String path = "/v1/commands/" + Api.escape(accepted.path("id").asText()) + REFRESH;
    JsonNode group = accepted;
    if (shows) {
      view.showHead(group);
    }
    int missed = 0;
    for (int asks = 0; ; asks++) {
      boolean ended = GroupView.ended(group);
      if (shows && (ended || view.writesOver() || asks % ASKS_PER_LINE == 1)) {
        view.showProgress(group);
      }
      if (ended) {
        if (shows) {
          view.showEnd();
        }
        return group;
      }
      try {
        group = api.get(path);
        missed = 0;
      } catch (FailureException e) {
        if (e.exitCode() != ExitCode.NOT_REACHABLE || ++missed > PATIENCE) {
          throw e;
        }
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw FailureException.failed("interrupted", null);
    }
  }
}
