package dev.beckon.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The process that holds the namespaces of a lab: first process of a PID namespace, waiting for the
 * end of its standard input.
 *
 * <p>The pipe's other end is held by this JVM alone. However the JVM dies, the kernel closes the
 * pipe, the anchor ends, every process of its PID namespace is killed, and the network namespaces,
 * which are mounted nowhere else, go with it. Nothing is left on the host.
 */
final class Anchor implements AutoCloseable {

  private static final String READY = "ready";

  private final Process process;
  private final List<String> enter;

  private Anchor(Process process, boolean mapped) {
    this.process = process;
    List<String> words = new ArrayList<>(List.of("nsenter", "--target", "" + inside(process)));
    if (mapped) {
      words.addAll(List.of("--user", "--preserve-credentials"));
    }
    words.addAll(List.of("--net", "--mount", "--pid", "--"));
    enter = List.copyOf(words);
  }

  /**
   * Makes the namespaces.
   *
   * @param scratch removed with all its contents when the lab ends, in whatever way it ends
   * @throws IOException saying why not
   */
  static Anchor open(@Nullable Path scratch) throws IOException {
    boolean root = "root".equals(System.getProperty("user.name"));
    try {
      return open(scratch, !root);
    } catch (IOException withoutPrivileges) {
      if (!root) {
        throw withoutPrivileges;
      }
      // Root of a container, say: it may still own what it makes in a user namespace.
      return open(scratch, true);
    }
  }

  private static Anchor open(@Nullable Path scratch, boolean mapped) throws IOException {
    // In a session of its own, or Ctrl-C would end it before it has removed the scratch folder.
    List<String> words = new ArrayList<>(List.of("setsid", "unshare"));
    if (mapped) {
      words.add("--map-root-user");
    }
    words.addAll(List.of("--net", "--mount", "--pid", "--fork", "--kill-child"));
    words.addAll(List.of("sh", "-c", SCRIPT, "anchor", scratch == null ? "" : scratch.toString()));
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String answer =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
            .readLine();
    if (!READY.equals(answer)) {
      process.destroyForcibly();
      throw new IOException(answer == null ? "unshare: ended without a word" : answer);
    }
    return new Anchor(process, mapped);
  }

  /*
   * /run is private, so that `ip netns` keeps its names there and nobody else sees them. /proc may
   * be refused in a container; then the outer one serves. Everything else is killed before the
   * scratch folder goes, lest somebody writes into it again.
   */
  private static final String SCRIPT =
      """
      exec 2>&1
      mount -t tmpfs beckon-lab /run && mkdir /run/netns || exit 1
      mount -t proc proc /proc 2> /dev/null || true
      echo ready
      cat > /dev/null
      kill -9 -1
      [ -z "$1" ] || rm -rf "$1"
      """;

  private static long inside(Process process) {
    return process
        .children()
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("unshare: has no child process"))
        .pid();
  }

  /** The words that go before a command to run it in the lab's namespaces. */
  List<String> enter() {
    return enter;
  }

  /** Ends all processes of the lab; returns when they are gone. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (IOException alreadyGone) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
