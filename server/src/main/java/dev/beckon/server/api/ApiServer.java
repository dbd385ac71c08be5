package dev.beckon.server.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.server.command.Commands;
import dev.beckon.server.command.Groups;
import dev.beckon.server.command.Submitter;
import dev.beckon.server.directory.RendezvousDirectory;
import dev.beckon.server.identity.Devices;
import dev.beckon.server.identity.FleetKeys;
import dev.beckon.server.identity.KnownDevices;
import dev.beckon.server.store.StoreException;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.config.SizeUnit;
import io.javalin.http.Context;
import io.javalin.http.HttpResponseException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP API, listening. Thread-safe. */
public final class ApiServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);

  /** For JSON; bodies of commands come as multipart, with their own limit. */
  private static final long MAX_JSON_BYTES = 256 * 1024;

  private static final int MAX_STREAMS = 100;

  /** Above the longest {@code ?wait=}, so that a waiting connection does not count as idle. */
  private static final Duration IDLE = Requests.MAX_WAIT.plusSeconds(15);

  /**
   * What the API shows and asks of the server's parts.
   *
   * @param submitter where commands are posted
   * @param groups the group commands; empty where no labels are
   * @param devices those that this server knows
   * @param register where devices are added and revoked; empty if that is another server
   * @param directory the application servers; empty where this is not the rendezvous server
   * @param keys empty where the fleet's keys are not
   * @param metrics adds the parts' figures; asked at each scrape
   * @param ready whether the server takes traffic
   */
  public record Parts(
      Commands commands,
      Submitter submitter,
      Optional<Groups> groups,
      KnownDevices devices,
      Optional<Devices> register,
      Reachability reachability,
      WakeRequests wakes,
      Optional<RendezvousDirectory> directory,
      Optional<FleetKeys> keys,
      Consumer<MetricsText> metrics,
      BooleanSupplier ready,
      Tokens tokens,
      InstantSource clock) {}

  private final Parts parts;
  private final Watchers watchers = new Watchers();
  private final LongAdder[] answers = new LongAdder[6];
  private final Javalin javalin;
  private final InetSocketAddress address;

  private ApiServer(ServerSocketChannel socket, Parts parts) throws IOException {
    this.parts = parts;
    Arrays.setAll(answers, i -> new LongAdder());
    this.javalin = Javalin.create(javalinConfig -> configure(javalinConfig, socket));
    this.address = (InetSocketAddress) socket.getLocalAddress();
  }

  /**
   * Starts listening.
   *
   * @throws IOException if the address cannot be had, or would carry tokens in plain text over a
   *     network; its message is for people
   */
  public static ApiServer start(ApiConfig config, Parts parts) throws IOException {
    config.check();
    // Bound here rather than by Jetty, which would log its own story about a port in use.
    ServerSocketChannel socket = ServerSocketChannel.open();
    try {
      socket.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      socket.bind(config.address());
      ApiServer server = new ApiServer(socket, parts);
      server.javalin.start();
      parts.commands().addListener(server.watchers);
      return server;
    } catch (IOException refused) {
      socket.close();
      throw new IOException(
          "http: "
              + SocketAddresses.format(config.address())
              + " ("
              + reason(refused)
              + "; expected a free port of this host: stop what uses it or give --http ADDR:PORT)",
          refused);
    } catch (RuntimeException broken) {
      socket.close();
      throw broken;
    }
  }

  private static String reason(IOException refused) {
    String message = String.valueOf(refused.getMessage());
    return message.contains("in use") ? "address already in use" : message;
  }

  /** Where it listens, with the real port. */
  public InetSocketAddress address() {
    return address;
  }

  /** Ends event streams and waits, and stops listening. */
  @Override
  public void close() {
    watchers.close();
    javalin.stop();
  }

  private void configure(JavalinConfig javalinConfig, ServerSocketChannel socket) {
    javalinConfig.startup.showJavalinBanner = false;
    javalinConfig.startup.showOldJavalinVersionWarning = false;
    javalinConfig.startup.startupWatcherEnabled = false;
    javalinConfig.concurrency.useVirtualThreads = true;
    javalinConfig.http.maxRequestSize = MAX_JSON_BYTES;
    javalinConfig.http.prefer405over404 = true;
    javalinConfig.jetty.multipartConfig.maxFileSize(Commands.MAX_BODY_BYTES, SizeUnit.BYTES);
    javalinConfig.jetty.multipartConfig.maxTotalRequestSize(
        Commands.MAX_BODY_BYTES + MAX_JSON_BYTES, SizeUnit.BYTES);
    // In memory as a whole: what goes to a device is not left in a temporary folder.
    javalinConfig.jetty.multipartConfig.maxInMemoryFileSize(
        Commands.MAX_BODY_BYTES, SizeUnit.BYTES);
    javalinConfig.jetty.modifyHttpConfiguration(http -> http.setSendServerVersion(false));
    javalinConfig.jetty.modifyServer(server -> server.setErrorHandler(ApiServer::beforeRouting));
    javalinConfig.jetty.addConnector(
        (server, http) -> connector(server, new HttpConnectionFactory(http), socket));

    var routes = javalinConfig.routes;
    routes.before("/v1/*", this::authorize);
    routes.before("/metrics", this::authorize);
    routes.after(ctx -> answers[Math.min(5, ctx.statusCode() / 100)].increment());
    GroupRoutes groups = new GroupRoutes(parts.groups(), watchers, parts.clock());
    groups.addTo(routes);
    new CommandRoutes(parts.commands(), parts.submitter(), groups, watchers, parts.clock())
        .addTo(routes);
    new DeviceRoutes(
            parts.devices(), parts.register(), parts.reachability(), parts.wakes(), parts.clock())
        .addTo(routes);
    new ServerRoutes(parts.directory()).addTo(routes);
    new KeyRoutes(parts.keys()).addTo(routes);
    routes.get("/v1/events", this::events);
    routes.get("/openapi.yaml", this::contract);
    routes.get("/healthz", ctx -> send(ctx, Json.MAPPER.createObjectNode().put("status", "ok")));
    routes.get("/readyz", this::ready);
    routes.get("/metrics", this::metrics);

    routes.exception(Problem.class, (problem, ctx) -> send(ctx, problem));
    routes.exception(HttpResponseException.class, (refused, ctx) -> send(ctx, ofStatus(refused)));
    routes.exception(
        StoreException.class,
        (failed, ctx) ->
            send(ctx, new Problem(ErrorCode.STORE_FAILED, String.valueOf(failed.getMessage()))));
    routes.exception(Exception.class, this::unexpected);
  }

  private static ServerConnector connector(
      Server server, HttpConnectionFactory http, ServerSocketChannel socket) {
    ServerConnector connector = new ServerConnector(server, http);
    connector.setIdleTimeout(IDLE.toMillis());
    try {
      connector.open(socket);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    return connector;
  }

  // ---- who may

  private void authorize(Context ctx) {
    String header = ctx.header("Authorization");
    if (header == null) {
      ctx.header("WWW-Authenticate", "Bearer");
      throw new Problem(
          ErrorCode.TOKEN_MISSING,
          "Authorization: missing (expected Bearer TOKEN)",
          "the server's data folder holds it in " + Tokens.ADMIN_FILE);
    }
    boolean bearer = header.regionMatches(true, 0, "Bearer ", 0, 7);
    Access access = bearer ? parts.tokens().access(header.substring(7).strip()).orElse(null) : null;
    if (access == null) {
      ctx.header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
      throw new Problem(
          ErrorCode.TOKEN_INVALID,
          "Authorization: not this server's token (expected Bearer TOKEN)",
          "the server's data folder holds it in " + Tokens.ADMIN_FILE);
    }
    access.enter(ctx);
  }

  // ---- the small calls

  private void events(Context ctx) throws IOException {
    Requests.allowQuery(ctx, "device");
    String device = ctx.queryParam("device");
    DeviceId only = device == null ? null : Requests.deviceId(device);
    EventStream stream =
        watchers
            .open(new EventStream(only), MAX_STREAMS)
            .orElseThrow(
                () ->
                    new Problem(
                        ErrorCode.TOO_MANY_LISTENERS,
                        "listeners: " + MAX_STREAMS + " already (expected fewer)"));
    try {
      ctx.contentType("text/event-stream");
      ctx.header("Cache-Control", "no-store");
      ctx.disableCompression();
      stream.writeTo(ctx.res().getOutputStream());
    } catch (IOException gone) {
      LOG.debug("a listener went away", gone);
    } finally {
      watchers.remove(stream);
    }
  }

  private void contract(Context ctx) {
    InputStream yaml = ApiServer.class.getResourceAsStream("/openapi.yaml");
    ctx.contentType("application/yaml");
    ctx.result(Objects.requireNonNull(yaml));
  }

  private void ready(Context ctx) {
    if (!parts.ready().getAsBoolean()) {
      throw new Problem(
          ErrorCode.NOT_READY,
          "server: starting, stopping, or its disk takes no writes (ask again)");
    }
    send(ctx, Json.MAPPER.createObjectNode().put("status", "ready"));
  }

  private void metrics(Context ctx) {
    MetricsText text = new MetricsText();
    for (int i = 1; i < answers.length; i++) {
      text.counter(
          "beckon_http_answers_total",
          "HTTP answers by status.",
          answers[i].sum(),
          "status",
          i + "xx");
    }
    text.gauge("beckon_event_listeners", "Open streams of events.", watchers.streams());
    parts.metrics().accept(text);
    ctx.contentType(MetricsText.CONTENT_TYPE);
    ctx.result(text.toString());
  }

  // ---- answers

  static void send(Context ctx, ObjectNode json) {
    ctx.contentType("application/json");
    ctx.header("Cache-Control", "no-store");
    ctx.result(json.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static void send(Context ctx, Problem problem) {
    ctx.status(problem.code().status());
    ctx.contentType(Problem.CONTENT_TYPE);
    ctx.header("Cache-Control", "no-store");
    ctx.result(problem.json().toString().getBytes(StandardCharsets.UTF_8));
  }

  private static Problem ofStatus(HttpResponseException refused) {
    ErrorCode code = ErrorCode.ofStatus(refused.getStatus());
    String detail =
        switch (code) {
          case REQUEST_TOO_LARGE ->
              "body: too large (expected at most " + MAX_JSON_BYTES + " bytes)";
          case PATH_UNKNOWN -> "path: unknown (expected one of /openapi.yaml)";
          default -> String.valueOf(refused.getMessage());
        };
    return new Problem(code, detail);
  }

  private void unexpected(Exception cause, Context ctx) {
    if (tooLarge(cause)) {
      send(ctx, new Problem(ErrorCode.REQUEST_TOO_LARGE, "request: too large"));
      return;
    }
    if (cause instanceof IOException || cause instanceof UncheckedIOException) {
      LOG.debug("a caller went away", cause);
    } else {
      LOG.error("{} {}: failed", ctx.method(), ctx.path(), cause);
    }
    send(
        ctx,
        new Problem(
            ErrorCode.INTERNAL, "server: failed (its log says why)", "tell whoever runs it"));
  }

  /** Whether Jetty gave up reading because a limit was passed; it has several types for that. */
  static boolean tooLarge(Throwable refused) {
    for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
      if (cause instanceof HttpResponseException http && http.getStatus() == 413) {
        return true;
      }
      String message = String.valueOf(cause.getMessage());
      if (cause instanceof org.eclipse.jetty.http.HttpException http && http.getCode() == 413
          || message.contains(" exceeded")) {
        return true;
      }
    }
    return false;
  }

  /** What Jetty refuses before any route is asked: unreadable requests, headers above the limit. */
  private static boolean beforeRouting(
      org.eclipse.jetty.server.Request request,
      org.eclipse.jetty.server.Response response,
      Callback callback) {
    ErrorCode code = ErrorCode.ofStatus(response.getStatus());
    response.setStatus(code.status());
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE);
    Content.Sink.write(
        response,
        true,
        new Problem(code, "request: cannot be read (expected HTTP/1.1 within the limits)")
            .json()
            .toString(),
        callback);
    return true;
  }
}
