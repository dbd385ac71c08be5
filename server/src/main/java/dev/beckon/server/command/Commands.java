package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.identity.Devices;
import dev.beckon.server.store.Database;
import java.io.InputStream;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The commands of all devices. */
public final class Commands implements AutoCloseable {

  public static final int MAX_BODY_BYTES = 16 * 1024 * 1024;

  private Commands() {}

  public static Commands open(Database database, Devices devices, InstantSource clock) {
    throw new UnsupportedOperationException();
  }

  /** Completes when the command is durable. */
  public CompletableFuture<Submission> submit(NewCommand command) {
    throw new UnsupportedOperationException();
  }

  public Optional<Command> find(String id) {
    throw new UnsupportedOperationException();
  }

  public List<Command> list(CommandQuery query) {
    throw new UnsupportedOperationException();
  }

  /**
   * What a session may send its device now: the commands that the device has not started as far as
   * known. It is durable that they were handed over before this completes, because from then on
   * only the device can say how they end: a command that was handed over is not cancelled or
   * expired here.
   *
   * @param alreadySent IDs that this session sent before
   * @param limit most commands to return
   */
  public CompletableFuture<HandOver> handOver(DeviceId id, Set<String> alreadySent, int limit) {
    throw new UnsupportedOperationException();
  }

  /** The body of a command; close it. Empty if the command is unknown or has none. */
  public Optional<InputStream> body(String id) {
    throw new UnsupportedOperationException();
  }

  /** The body of a command's result; close it. Empty if the command is unknown or has none. */
  public Optional<InputStream> resultBody(String id) {
    throw new UnsupportedOperationException();
  }

  /**
   * Takes a device's report. Completes when it is durable: only then may a receipt be sent. A
   * repeated report changes nothing and completes all the same. Empty if that device has no such
   * command here; a receipt for an ended state is still right, or the device repeats it for ever.
   */
  public CompletableFuture<Optional<Command>> update(
      DeviceId from, Update update, byte @Nullable [] resultBody) {
    throw new UnsupportedOperationException();
  }

  public CompletableFuture<Cancelling> cancel(String id) {
    throw new UnsupportedOperationException();
  }

  /** Adds evidence to the timelines of a device's waiting commands; returns at once. */
  public void note(DeviceId id, String event, Map<String, String> details) {
    throw new UnsupportedOperationException();
  }

  /** Adds evidence to one command's timeline; returns at once. */
  public void note(String commandId, String event, Map<String, String> details) {
    throw new UnsupportedOperationException();
  }

  /**
   * A session of the device stands (its Hello was accepted): noted in the timelines, and none of
   * its commands becomes UNKNOWN while it lasts.
   */
  public void sessionOpened(DeviceId id, Map<String, String> details) {
    throw new UnsupportedOperationException();
  }

  /** The session ended. Each {@link #sessionOpened} is followed by exactly one of these. */
  public void sessionClosed(DeviceId id) {
    throw new UnsupportedOperationException();
  }

  /**
   * Expires what is due. Blocks for one commit at most; call it from a timer's thread.
   *
   * @return when to call again, unix milliseconds; at most a second after {@code now}
   */
  public long onTime(Instant now) {
    throw new UnsupportedOperationException();
  }

  public void addListener(CommandListener listener) {
    throw new UnsupportedOperationException();
  }

  /** Until when a wake for the device makes sense; empty if nothing waits for it. */
  public Optional<Instant> latestDeadline(DeviceId id) {
    throw new UnsupportedOperationException();
  }

  /** Every device with waiting commands and its latest deadline: to be woken after a start. */
  public Map<DeviceId, Instant> waiting() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
