package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.Command;
import dev.beckon.server.command.CommandListener;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.NewCommand;
import dev.beckon.server.command.Submission;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An application server inside another Java program: it sends commands to devices of a fleet whose
 * rendezvous server is elsewhere. It listens on one TLS port, which devices dial; it offers no
 * HTTP.
 *
 * {@snippet :
 * try (DeliveryEndpoint printing =
 *     DeliveryEndpoint.builder(Path.of("printing")).enroll(code).start()) {
 *   Command sent = printing.send("kitchen", "display", Map.of("text", "hello")).join();
 *   Command ended = printing.end(sent.id()).join();
 *   System.out.println(ended.state());
 * }
 * }
 *
 * <p>What it accepted is on disk, and goes out after a restart too. While the rendezvous server is
 * away commands wait. Thread-safe.
 */
public final class DeliveryEndpoint implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DeliveryEndpoint.class);

  /** For starting; commands may run for longer. */
  public static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(60);

  private final Server server;
  private final EnrolledPart enrolled;
  private final Commands commands;
  private final Consumer<Command> listener;
  private final ExecutorService listening =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("delivery-listener").factory());
  private final Map<String, CompletableFuture<Command>> ends = new ConcurrentHashMap<>();

  private DeliveryEndpoint(Server server, EnrolledPart enrolled, Consumer<Command> listener) {
    this.server = server;
    this.enrolled = enrolled;
    this.commands = enrolled.commands();
    this.listener = listener;
    commands.addListener(
        new CommandListener() {
          @Override
          public void changed(Command command) {
            if (command.state().ended()) {
              ended(command);
            }
          }
        });
  }

  /**
   * @param data folder of the identity and the commands; made if it is missing
   */
  public static Builder builder(Path data) {
    return new Builder(data);
  }

  /** What a {@link DeliveryEndpoint} needs to know. */
  public static final class Builder {
    private final ServerConfig.Builder config;
    private Consumer<Command> listener = command -> {};

    private Builder(Path data) {
      config = ServerConfig.at(data).roles(Set.of(Role.DELIVERY)).http(null);
    }

    /**
     * The code of {@code beckon app-server add}. Needed once; a code that this folder was enrolled
     * with already changes nothing.
     */
    public Builder enroll(@Nullable String code) {
      config.enroll(code);
      return this;
    }

    /** Where devices dial; port 5349 of every address without this. */
    public Builder tls(InetSocketAddress address) {
      config.tls(address);
      return this;
    }

    /**
     * Is told each command that ended, in order, on a thread of its own. One that ended as UNKNOWN
     * is told again if the device says more later.
     */
    public Builder onEnd(Consumer<Command> ended) {
      listener = ended;
      return this;
    }

    /**
     * Starts it; devices can dial it when this returns. The rendezvous server need not be there,
     * but for the enrollment.
     *
     * @throws IllegalArgumentException with a message for people if folder and code do not fit
     * @throws IOException likewise if the port cannot be had, or the enrollment fails
     * @throws dev.beckon.server.store.StoreException likewise if the folder cannot be used
     */
    public DeliveryEndpoint start() throws IOException {
      Server server = Server.start(config.build());
      return new DeliveryEndpoint(server, server.enrolled().orElseThrow(), listener);
    }
  }

  /**
   * Sends a command that must start within a minute. Completes when it is durable here.
   *
   * <p>Fails with {@link CommandRefusedException} if it is not accepted.
   */
  public CompletableFuture<Command> send(String deviceId, String action, Map<String, String> args) {
    return send(
        new NewCommand(
            new DeviceId(deviceId),
            action,
            args,
            null,
            enrolled.now().plus(DEFAULT_DEADLINE),
            null));
  }

  /** As {@link #send(String, String, Map)}, with everything that a command can have. */
  public CompletableFuture<Command> send(NewCommand command) {
    return enrolled
        .submit(command)
        .thenApply(
            submission ->
                switch (submission) {
                  case Submission.Accepted accepted -> accepted.command();
                  case Submission.Repeated repeated -> repeated.command();
                  case Submission.Conflict conflict ->
                      throw new CommandRefusedException(
                          "idempotency-key-reused",
                          "idempotency key: used by command " + conflict.id());
                  case Submission.DeviceUnknown unknown ->
                      throw new CommandRefusedException(
                          "device-unknown",
                          "device: "
                              + command.deviceId()
                              + " (expected a device that was added on the rendezvous server)");
                  case Submission.Refused refused ->
                      throw new CommandRefusedException(refused.code(), refused.detail());
                });
  }

  /**
   * Completes with the command once it has ended, however. Fails with {@link
   * CommandRefusedException} if there is no such command.
   */
  public CompletableFuture<Command> end(String commandId) {
    CompletableFuture<Command> end =
        ends.computeIfAbsent(commandId, id -> new CompletableFuture<>());
    // It may have ended before anybody waited.
    Optional<Command> now = commands.find(commandId);
    if (now.isEmpty() || now.get().state().ended()) {
      ends.remove(commandId);
      now.ifPresentOrElse(
          end::complete,
          () ->
              end.completeExceptionally(
                  new CommandRefusedException(
                      "command-unknown",
                      "command: " + commandId + " (expected the ID of a command)")));
    }
    return end;
  }

  /** The command as it stands, with its timeline. */
  public Optional<Command> find(String commandId) {
    return commands.find(commandId);
  }

  /** The body of a command's result; close it. Empty if there is none. */
  public Optional<InputStream> resultBody(String commandId) {
    return commands.resultBody(commandId);
  }

  private void ended(Command command) {
    try {
      // Not on the thread that all commands wait for.
      listening.execute(
          () -> {
            CompletableFuture<Command> end = ends.remove(command.id());
            if (end != null) {
              end.complete(command);
            }
            try {
              listener.accept(command);
            } catch (RuntimeException e) {
              log.error("the listener of ended commands failed", e);
            }
          });
    } catch (RejectedExecutionException closed) {
      // Told by nobody any more; it is in the store.
    }
  }

  /** This server's number in the directory. */
  public int number() {
    return enrolled.number();
  }

  /** Whether the rendezvous server can be asked for wakes now. */
  public boolean isConnected() {
    return enrolled.link().isUp();
  }

  /** Where devices dial, with the real port. */
  public InetSocketAddress tlsAddress() {
    return server.tlsAddress();
  }

  /** Stops. Who waits for an end learns of a {@link java.util.concurrent.CancellationException}. */
  @Override
  public void close() {
    server.close();
    listening.shutdown();
    ends.values().forEach(end -> end.cancel(false));
  }
}
