package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Fetches what a device sent back beside its result map: a picture, a log, a scan. */
final class ResultBody {

  private ResultBody() {}

  static void save(Api api, JsonNode command, String file, Surroundings surroundings) {
    if (command.path("resultBodyBytes").asLong() == 0) {
      surroundings.err().println("  the result has no body; " + file + " was not written");
      return;
    }
    byte[] body = api.bytes("/v1/commands/" + Api.escape(command.path("id").asText()) + "/body");
    if (file.equals("-")) {
      surroundings.out().write(body, 0, body.length);
      surroundings.out().flush();
      return;
    }
    try {
      Files.write(Path.of(file), body);
    } catch (InvalidPathException e) {
      throw FailureException.usage("--save-body: " + file + " (expected a file's name)", null);
    } catch (IOException e) {
      throw FailureException.failed("--save-body: " + file + " (" + Failures.of(e) + ")", null);
    }
  }
}
