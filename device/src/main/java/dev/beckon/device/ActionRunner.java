package dev.beckon.device;

import dev.beckon.device.command.CommandKey;
import dev.beckon.protocol.Redaction;
import dev.beckon.protocol.session.State;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Runs commands, each on a thread of its own. That one at a time runs per action is seen to before.
 */
final class ActionRunner {
  /** An action and what does it. */
  record Entry(Action action, ActionHandler handler) {}

  /** How a command ended. */
  record Outcome(State state, String reason, Map<String, String> result, long bodyBytes) {
    static Outcome failed(String word, String reason) {
      return new Outcome(State.FAILED, reason, Map.of(Result.FAILURE, word), 0);
    }

    /** Without the command's secrets: from here it goes into the journal, to listeners, out. */
    Outcome redacted(Redaction secrets) {
      return new Outcome(state, secrets.text(reason), secrets.texts(result), bodyBytes);
    }
  }

  /** Told of progress, on the command's thread. */
  @FunctionalInterface
  interface OnProgress {
    void accept(CommandKey key, int percent, String text);
  }

  /** Told of the end, on the command's thread. */
  @FunctionalInterface
  interface OnEnd {
    void accept(CommandKey key, Outcome outcome);
  }

  private final Map<String, Entry> entries;
  private final BodyFolder bodies;
  private final long maxBodyBytes;
  private final ExecutorService threads;

  ActionRunner(Map<String, Entry> entries, BodyFolder bodies, long maxBodyBytes) {
    this.entries = new TreeMap<>(entries);
    this.bodies = bodies;
    this.maxBodyBytes = maxBodyBytes;
    AtomicInteger count = new AtomicInteger();
    this.threads =
        Executors.newCachedThreadPool(
            runnable -> {
              Thread thread = new Thread(runnable, "beckon-action-" + count.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Why the device cannot run the command; null if it can. */
  @Nullable String refusal(dev.beckon.protocol.session.Command command) {
    Entry entry = entries.get(command.getAction());
    String refusal = refusal(entry, command);
    return refusal == null ? null : SecretParts.ofArguments(command).text(refusal);
  }

  private @Nullable String refusal(
      @Nullable Entry entry, dev.beckon.protocol.session.Command command) {
    return entry == null
        ? "action: "
            + command.getAction()
            + " (expected one of "
            + String.join(", ", entries.keySet())
            + ")"
        : entry.action().refusal(command.getArgsMap(), command.getHasBody());
  }

  void run(
      CommandKey key,
      dev.beckon.protocol.session.Command command,
      OnProgress onProgress,
      OnEnd onEnd) {
    try {
      threads.execute(
          () ->
              onEnd.accept(
                  key,
                  outcome(key, command, (percent, text) -> onProgress.accept(key, percent, text))));
    } catch (RejectedExecutionException e) {
      onEnd.accept(key, Outcome.failed("stopped", "the device is being stopped"));
    }
  }

  void interrupt() {
    threads.shutdownNow();
  }

  void await(long millis) {
    try {
      // What does not end in time ends as UNKNOWN after the next start.
      boolean ended = threads.awaitTermination(millis, TimeUnit.MILLISECONDS);
      assert ended || threads.isShutdown();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Outcome outcome(
      CommandKey key, dev.beckon.protocol.session.Command message, Command.Progress progress) {
    Entry entry = entries.get(message.getAction());
    if (entry == null) {
      return Outcome.failed(
          "not-allowed", "action: " + message.getAction() + " (expected a known one)");
    }
    Path body = message.getHasBody() ? bodies.commandBody(key) : null;
    Redaction secrets = SecretParts.of(message, body);
    Command.Progress shown = (percent, text) -> progress.report(percent, secrets.text(text));
    try {
      return outcome(key, entry.handler().run(new Command(key.server(), message, body, shown)))
          .redacted(secrets);
    } catch (InterruptedException e) {
      return Outcome.failed("stopped", "the device was stopped while the command ran");
    } catch (Exception | Error e) {
      // Whatever a handler throws must not take the device down, nor leave the command running.
      return Outcome.failed("error", e.getMessage() == null ? e.toString() : e.getMessage())
          .redacted(secrets);
    } finally {
      bodies.discardCommandBody(key);
    }
  }

  private Outcome outcome(CommandKey key, Result result) {
    String failure = result.failure();
    byte[] body = result.body();
    if (body.length > maxBodyBytes) {
      return Outcome.failed(
          "result-too-large",
          "result body: " + body.length + " bytes (expected at most " + maxBodyBytes + ")");
    }
    if (body.length > 0) {
      try {
        bodies.storeResult(key, body);
      } catch (IOException e) {
        return Outcome.failed(
            "result-not-stored",
            "result body: cannot be stored (expected room in the device's data folder)");
      }
    }
    return new Outcome(
        failure == null ? State.SUCCEEDED : State.FAILED,
        failure == null ? "" : failure,
        result.values(),
        body.length);
  }
}
