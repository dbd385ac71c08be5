package dev.beckon.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.directory.ApplicationServer;
import dev.beckon.server.directory.DirectoryFullException;
import dev.beckon.server.directory.DirectoryStatus;
import dev.beckon.server.directory.RendezvousDirectory;
import dev.beckon.server.identity.EnrollmentCodes;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** The application servers and the directory: listing, adding, changing, removing. */
final class ServerRoutes {

  private static final Duration DEFAULT_VALIDITY = Duration.ofHours(1);

  /**
   * How long an answer waits for the changed list. Signing takes milliseconds; a directory server
   * that is away may take days, and the answer then says so.
   */
  private static final Duration SIGNING_PATIENCE = Duration.ofSeconds(2);

  private final Optional<RendezvousDirectory> directory;

  ServerRoutes(Optional<RendezvousDirectory> directory) {
    this.directory = directory;
  }

  void addTo(RoutesConfig routes) {
    routes.get("/v1/application-servers", this::list);
    routes.post("/v1/application-servers/{number}", this::add);
    routes.put("/v1/application-servers/{number}", this::set);
    routes.delete("/v1/application-servers/{number}", this::remove);
  }

  private RendezvousDirectory here() {
    return directory.orElseThrow(
        () ->
            new Problem(
                ErrorCode.ROLE_MISSING,
                "server: not the rendezvous server (expected it, for application servers)",
                "name the rendezvous server with --server URL"));
  }

  private void list(Context ctx) {
    Requests.allowQuery(ctx);
    ObjectNode json = Json.MAPPER.createObjectNode();
    ArrayNode items = json.putArray("applicationServers");
    here().servers().list().forEach(server -> items.add(json(server)));
    json.set("directory", json(here().status()));
    ApiServer.send(ctx, json);
  }

  private void add(Context ctx) {
    Requests.allowQuery(ctx);
    int number = number(ctx);
    ObjectNode json = Requests.json(ctx);
    Requests.allowKeys(json, "name", "address", "valid");
    String name = required(json, "name");
    String address = required(json, "address");
    Duration valid =
        Requests.text(json, "valid")
            .map(text -> TimeText.duration("valid", text, EnrollmentCodes.MAX_VALIDITY))
            .orElse(DEFAULT_VALIDITY);
    EnrollmentCode code = await(checked(() -> here().servers().add(number, name, address, valid)));
    ObjectNode answer = Json.MAPPER.createObjectNode();
    answer.put("number", number);
    answer.put("enrollmentCode", code.format());
    answer.put("expiresAt", Json.time(code.expiry()));
    answer.set("directory", published());
    ctx.status(201);
    ApiServer.send(ctx, answer);
  }

  private void set(Context ctx) {
    Requests.allowQuery(ctx);
    int number = number(ctx);
    ObjectNode json = Requests.json(ctx);
    Requests.allowKeys(json, "name", "address");
    String name = required(json, "name");
    String address = required(json, "address");
    ApplicationServer server =
        await(checked(() -> here().servers().set(number, name, address)))
            .orElseThrow(() -> unknown(number));
    ObjectNode answer = Json.MAPPER.createObjectNode();
    answer.set("applicationServer", json(server));
    answer.set("directory", published());
    ApiServer.send(ctx, answer);
  }

  private void remove(Context ctx) {
    Requests.allowQuery(ctx);
    int number = number(ctx);
    if (!await(here().servers().remove(number))) {
      throw unknown(number);
    }
    ObjectNode answer = Json.MAPPER.createObjectNode();
    answer.put("number", number);
    answer.set("directory", published());
    ApiServer.send(ctx, answer);
  }

  /** The directory with the change in it, or as it is while its signer is away. */
  private ObjectNode published() {
    try {
      here().publisher().publish().get(SIGNING_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } catch (TimeoutException | ExecutionException waiting) {
      // The change is kept; the status says that it is not signed yet.
    }
    return json(here().status());
  }

  private static int number(Context ctx) {
    return checked(() -> ApplicationServer.parseNumber(ctx.pathParam("number")));
  }

  private static String required(ObjectNode json, String name) {
    return Requests.text(json, name)
        .orElseThrow(
            () -> new Problem(ErrorCode.REQUEST_MALFORMED, name + ": missing (expected a string)"));
  }

  private static <T> T checked(Supplier<T> call) {
    try {
      return call.get();
    } catch (IllegalArgumentException invalid) {
      throw new Problem(ErrorCode.PARAMETER_INVALID, String.valueOf(invalid.getMessage()));
    }
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return Requests.await(future);
    } catch (IllegalStateException failed) {
      if (failed.getCause() instanceof DirectoryFullException full) {
        throw new Problem(ErrorCode.DIRECTORY_FULL, String.valueOf(full.getMessage()));
      }
      throw failed;
    }
  }

  private static Problem unknown(int number) {
    return new Problem(
        ErrorCode.APPLICATION_SERVER_UNKNOWN,
        "number: " + number + " (expected one of a server that was added)",
        "'beckon app-server list' shows them");
  }

  private static ObjectNode json(ApplicationServer server) {
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("number", server.number());
    json.put("name", server.name());
    json.put("address", server.address());
    json.put("state", server.state().name());
    json.put("generation", server.generation());
    json.put("addedAt", Json.time(server.addedAt()));
    if (server.enrolledAt() != null) {
      json.put("enrolledAt", Json.time(server.enrolledAt()));
    }
    return json;
  }

  private static ObjectNode json(DirectoryStatus status) {
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("version", status.version());
    if (status.issuedAt() != null) {
      json.put("issuedAt", Json.time(status.issuedAt()));
    }
    json.put("upToDate", status.upToDate());
    json.put("signer", status.signer());
    json.put("devicesUpToDate", status.devicesUpToDate());
    json.put("devicesBeingWoken", status.devicesBeingWoken());
    return json;
  }
}
