package dev.beckon.protocol;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** docs/PROTOCOL.md, as far as it can be compared with code. */
public final class ProtocolDocument {
  private static final String VECTOR = "vector";
  private static final String BYTES = "bytes";

  private final List<String> lines;

  private ProtocolDocument(List<String> lines) {
    this.lines = lines;
  }

  /** Reads the document of the working copy that the tests run in. */
  public static ProtocolDocument read() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.exists(folder.resolve("docs/PROTOCOL.md"))) {
      folder = folder.getParent();
    }
    if (folder == null) {
      throw new AssertionError("docs/PROTOCOL.md is in no folder above the working directory");
    }
    try {
      return new ProtocolDocument(Files.readAllLines(folder.resolve("docs/PROTOCOL.md")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The rows of the first table whose header's first cell is this, without back-quotes. */
  public List<List<String>> table(String firstHeader) {
    return tableFrom(0, firstHeader);
  }

  /** The rows of the table below the line {@code **`name`**}. */
  public List<List<String>> tableOf(String name) {
    int at = lines.indexOf("**`" + name + "`**");
    if (at < 0) {
      throw new AssertionError("no table of " + name);
    }
    return tableFrom(at, "number");
  }

  private List<List<String>> tableFrom(int from, String firstHeader) {
    for (int at = from; at < lines.size(); at++) {
      if (lines.get(at).startsWith("| " + firstHeader + " |")) {
        List<List<String>> rows = new ArrayList<>();
        for (int row = at + 2; lines.get(row).startsWith("|"); row++) {
          rows.add(cells(lines.get(row)));
        }
        return rows;
      }
    }
    throw new AssertionError("no table with the header " + firstHeader);
  }

  private static List<String> cells(String row) {
    List<String> cells = new ArrayList<>();
    for (String cell : row.substring(1, row.length() - 1).split("\\|", -1)) {
      cells.add(cell.replace("`", "").strip());
    }
    return cells;
  }

  /**
   * The blocks that begin with {@code vector: NAME}: name to value, and the bytes under "bytes" as
   * one string of hex digits.
   */
  public List<Map<String, String>> vectors() {
    List<Map<String, String>> vectors = new ArrayList<>();
    for (int at = 0; at < lines.size(); at++) {
      if (lines.get(at).startsWith(VECTOR + ": ")) {
        vectors.add(vector(at));
      }
    }
    return vectors;
  }

  private Map<String, String> vector(int from) {
    Map<String, String> vector = new LinkedHashMap<>();
    for (int at = from; !lines.get(at).startsWith("```"); at++) {
      String line = lines.get(at);
      if (line.startsWith(" ")) {
        String hex = line.replaceAll("#.*", "").replace(" ", "");
        vector.merge(BYTES, hex, String::concat);
      } else {
        int colon = (line + ' ').lastIndexOf(": ");
        vector.put(line.substring(0, colon), line.substring(colon + 1).strip());
      }
    }
    return vector;
  }
}
