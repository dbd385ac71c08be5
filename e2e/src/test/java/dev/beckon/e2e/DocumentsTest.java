package dev.beckon.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.server.session.SessionConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents say about the code is so. */
class DocumentsTest {
  private static final Path ROOT = Files.exists(Path.of("docs")) ? Path.of("") : Path.of("..");

  /** A package or class of ours, perhaps with a member: `server.registrar.Binding`. */
  private static final Pattern PLACE =
      Pattern.compile("`((?:[a-z]+\\.)*(?:[a-z]+(?=`))?)([A-Z]\\w*)?(?:#(\\w+))?`");

  @Test
  void everyPlaceThatTheGlossaryNamesExists() throws IOException {
    List<Path> sources = sources();
    List<String> missing = new ArrayList<>();
    int places = 0;
    for (List<String> row : rows("docs/GLOSSARY.md")) {
      Matcher place = PLACE.matcher(row.get(row.size() - 1));
      while (place.find()) {
        places++;
        if (!exists(place, sources)) {
          missing.add(row.get(0) + ": " + place.group());
        }
      }
    }

    assertThat(missing).isEmpty();
    assertThat(places).isGreaterThan(40);
  }

  @Test
  void theServerKeepsTheLimitsOfTheProtocol() throws IOException {
    Map<String, String> limits = new LinkedHashMap<>();
    for (List<String> row : rows("docs/PROTOCOL.md")) {
      limits.put(row.get(0), row.get(1).replace(",", ""));
    }
    SessionConfig config = SessionConfig.defaults();

    assertThat(limits)
        .containsEntry("TLS handshake, from the TCP connection on", seconds(config.handshake()))
        .containsEntry("Hello, or EnrollmentRequest, after the handshake", seconds(config.hello()))
        .containsEntry(
            "linger of an idle session",
            seconds(config.linger()) + "; 0.5 s if its wake carried a dial-back delay")
        .containsEntry(
            "silence of a device that owes the acknowledgement of a command or the rest of a body",
            seconds(config.stall()))
        .containsEntry("frame", SessionConfig.MAX_FRAME_BYTES + " bytes")
        .containsEntry("content of a body chunk", SessionConfig.MAX_CHUNK_BYTES + " bytes")
        .containsEntry("body", config.maxBodyBytes() + " bytes")
        .containsEntry(
            "commands handed over and not ended, per session",
            String.valueOf(config.maxCommandsInFlight()));
  }

  private static String seconds(Duration duration) {
    return duration.toSeconds() + " s";
  }

  private static boolean exists(Matcher place, List<Path> sources) throws IOException {
    String folder = place.group(1).replaceFirst("^dev\\.beckon\\.", "").replace('.', '/');
    String name = place.group(2) == null ? "package-info" : place.group(2);
    String end = (folder + (folder.endsWith("/") ? "" : "/") + name + ".java").replaceAll("^/", "");
    for (Path source : sources) {
      String path = source.toString().replace('\\', '/');
      if (path.endsWith("/" + end)
          && (place.group(3) == null || Files.readString(source).contains(place.group(3)))) {
        return true;
      }
    }
    String schema = Files.readString(ROOT.resolve("protocol/src/main/proto/beckon/session.proto"));
    return schema.contains("message " + name + " {") || schema.contains("enum " + name + " {");
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : List.of("protocol", "device", "agent", "server", "lab")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/main/java"))) {
        files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
      }
    }
    return sources;
  }

  private static List<List<String>> rows(String document) throws IOException {
    return Files.readAllLines(ROOT.resolve(document)).stream()
        .filter(line -> line.startsWith("| "))
        .map(line -> List.of(line.substring(2, line.length() - 2).split(" \\| ", -1)))
        .filter(cells -> cells.size() > 1)
        .toList();
  }
}
