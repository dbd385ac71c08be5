package dev.beckon.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.cli.terminal.Ink;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows what happens to commands, as it happens. */
@Command(
    name = "watch",
    description = {
      "Show what happens to commands, as it happens.",
      "A line for each event: time (UTC), device, event, command; for a group command how far it"
          + " is, now and then. With --json a line for each change, with the whole command. Secrets"
          + " read (secret). Ends with Ctrl-C."
    })
final class WatchCommand extends ClientCommand implements Callable<Integer> {

  /** Commands whose shown entries are remembered; of others only the newest entry is shown. */
  private static final int MAX_REMEMBERED = 10_000;

  private static final int MAX_TRIES = 30;
  private static final long PAUSE_MILLIS = 1_000;

  private final Map<String, Integer> shown =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  @Option(
      names = "--device",
      paramLabel = "ID",
      converter = DeviceIdConverter.class,
      description = "Only this device's commands.")
  private @Nullable String device;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "End after so many changes (default: never).")
  private long count;

  private long changes;

  WatchCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  public Integer call() {
    if (count < 0) {
      throw FailureException.usage("--count: " + count + " (expected 1 or more)", null);
    }
    Api api = api();
    String path = "/v1/events" + (device == null ? "" : "?device=" + Api.escape(device));
    int missed = 0;
    while (true) {
      try (InputStream events = api.stream(path)) {
        if (missed > 0) {
          remark("  connected again; what happened meanwhile is not shown");
        }
        missed = 0;
        if (follow(events)) {
          return ExitCode.DONE;
        }
      } catch (IOException e) {
        // The server stopped, or something on the way cut the connection.
      } catch (FailureException e) {
        if (missed == 0 || e.exitCode() != ExitCode.NOT_REACHABLE || missed > MAX_TRIES) {
          throw e;
        }
      }
      if (missed++ == 0) {
        remark("  the connection ended; trying again");
      }
      pause();
    }
  }

  /** Shows events until the stream ends; true if that were enough. */
  private boolean follow(InputStream events) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(events, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith("data: ")) {
        show(line.substring("data: ".length()));
        changes++;
        if (changes == count) {
          return true;
        }
      }
    }
    return false;
  }

  private void show(String text) {
    if (json()) {
      print(text);
      return;
    }
    JsonNode command;
    try {
      command = Api.JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw FailureException.failed("server: an event that is not JSON", null);
    }
    Ink ink = ink();
    if (GroupView.isGroup(command)) {
      print(
          "              "
              + String.format(Locale.ROOT, "%-16s", GroupView.devices(command))
              + "  "
              + String.format(Locale.ROOT, "%-14s", "group")
              + "  "
              + ink.faint(command.path("id").asText())
              + "  "
              + GroupView.counts(command));
      return;
    }
    String id = command.path("id").asText();
    JsonNode timeline = command.path("timeline");
    int from = shown.getOrDefault(id, Math.max(0, timeline.size() - 1));
    for (int i = from; i < timeline.size(); i++) {
      print(line(ink, command, timeline.get(i)));
    }
    if (CommandView.ended(command)) {
      shown.remove(id);
    } else {
      shown.put(id, timeline.size());
    }
  }

  private static String line(Ink ink, JsonNode command, JsonNode entry) {
    String event = entry.path("event").asText();
    String details =
        event.equals("queued")
            ? CommandView.call(command)
            : CommandView.details(event, entry.path("details"));
    String at = entry.path("at").asText();
    int clock = at.indexOf('T') + 1;
    return ink.faint(at.substring(clock).replace("Z", ""))
        + "  "
        + String.format(Locale.ROOT, "%-16s", command.path("deviceId").asText())
        + "  "
        + String.format(Locale.ROOT, "%-14s", event)
        + "  "
        + ink.faint(command.path("id").asText())
        + (details.isEmpty() ? "" : "  " + details);
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw FailureException.failed("interrupted", null);
    }
  }
}
