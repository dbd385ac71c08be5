package dev.beckon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WatchCommandTest extends ApiStubTest {

  private static final String QUEUED =
      "{\"at\":\"2026-01-01T10:00:00.000Z\",\"event\":\"queued\",\"details\":{}}";
  private static final String STARTED =
      "{\"at\":\"2026-01-01T10:00:01.000Z\",\"event\":\"started\",\"details\":{}}";
  private static final String FINISHED =
      "{\"at\":\"2026-01-01T10:00:02.000Z\",\"event\":\"finished\",\"details\":{\"state\":\"FAILED\",\"reason\":\"no\"}}";

  private static String event(String state, String timeline) {
    return "event: command\ndata: " + json(state, timeline) + "\n\n";
  }

  private static String json(String state, String timeline) {
    return "{\"id\":\"01K\",\"deviceId\":\"kitchen\",\"action\":\"unlock\",\"args\":{\"pin\":\"(secret)\"},\"state\":\""
        + state
        + "\",\"timeline\":["
        + timeline
        + "]}";
  }

  private void streams(String... events) {
    server.answers(
        "GET /v1/events", 200, "text/event-stream", ": listening\n\n" + String.join("", events));
  }

  @Test
  void showsEachEventOnceAsOneLine() {
    streams(
        event("QUEUED", QUEUED),
        event("RUNNING", QUEUED + "," + STARTED),
        event("FAILED", QUEUED + "," + STARTED + "," + FINISHED));

    CommandRun run = place.run("watch", "--count", "3");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out().lines())
        .containsExactly(
            "10:00:00.000  kitchen           queued          01K  unlock pin=(secret)",
            "10:00:01.000  kitchen           started         01K",
            "10:00:02.000  kitchen           finished        01K  FAILED  no");
  }

  @Test
  void showsTheNewestEntryOfACommandFromBefore() {
    streams(event("RUNNING", QUEUED + "," + STARTED));

    assertThat(place.run("watch", "--count", "1").out())
        .contains("started")
        .doesNotContain("queued");
  }

  @Test
  void printsALineOfJsonForEachChange() {
    streams(event("QUEUED", QUEUED));

    assertThat(place.run("watch", "--json", "--count", "1").out())
        .isEqualTo(json("QUEUED", QUEUED) + "\n");
  }

  @Test
  void goesOnWhenTheConnectionEnds() {
    streams(event("QUEUED", QUEUED));
    streams(event("RUNNING", QUEUED + "," + STARTED));

    CommandRun run = place.run("watch", "--count", "2");

    assertThat(run.out()).hasLineCount(2);
    assertThat(run.err())
        .contains("the connection ended; trying again")
        .contains("connected again");
  }

  @Test
  void saysThatNobodyAnswers() {
    server.close();

    assertThat(place.run("watch").exitCode()).isEqualTo(ExitCode.NOT_REACHABLE);
  }

  @Test
  void explainsARefusal() {
    server.refuses("GET /v1/events?device=kitchen", 429, "too-many-listeners", "listeners: 100");

    CommandRun run = place.run("watch", "--device", "kitchen");

    assertThat(run).isEqualTo(new CommandRun(1, "", "beckon: listeners: 100\n"));
  }
}
