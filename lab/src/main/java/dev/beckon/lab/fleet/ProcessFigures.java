package dev.beckon.lab.fleet;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a process holds and has used, as Linux tells it.
 *
 * @param cpuMillis processor time since its start, in user and system mode
 * @param residentBytes memory in use, all of it
 * @param fileBytes the part that files are mapped to, such as a server's bindings
 */
public record ProcessFigures(long cpuMillis, long residentBytes, long fileBytes) {

  /** Ticks of /proc are hundredths of a second on every Linux (USER_HZ). */
  private static final int MILLIS_PER_TICK = 10;

  /**
   * Of a running process.
   *
   * @throws IOException if there is none with this ID
   */
  public static ProcessFigures of(long pid) throws IOException {
    Path folder = Path.of("/proc", Long.toString(pid));
    return parse(
        Files.readString(folder.resolve("stat")), Files.readAllLines(folder.resolve("status")));
  }

  /**
   * From the kernel's text.
   *
   * @param stat fields separated by blanks, behind a name in parentheses; user and system time are
   *     the 14th and the 15th
   * @param status lines such as {@code VmRSS: 123 kB}
   */
  static ProcessFigures parse(String stat, List<String> status) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    return new ProcessFigures(
        ticks * MILLIS_PER_TICK,
        bytes(status, "VmRSS:"),
        bytes(status, "RssFile:") + bytes(status, "RssShmem:"));
  }

  private static long bytes(List<String> status, String name) {
    for (String line : status) {
      if (line.startsWith(name)) {
        String[] words = line.substring(name.length()).strip().split(" ");
        return Long.parseLong(words[0]) * 1024;
      }
    }
    return 0;
  }

  /** Adds what it holds now, and its share of one processor since {@code before}. */
  public void report(ProcessFigures before, long elapsedMillis, Map<String, Number> figures) {
    double share = 100.0 * (cpuMillis - before.cpuMillis) / Math.max(1, elapsedMillis);
    figures.put("serverCpuPercent", Math.round(share * 10) / 10.0);
    figures.put("serverResidentBytes", residentBytes);
    figures.put("serverFileBytes", fileBytes);
  }
}
