package dev.beckon.server.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.server.identity.FleetKeys;
import dev.beckon.server.identity.KeyChangeException;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.util.Optional;

/** {@code /v1/keys} and {@code /v1/ca-roots}: rotation and roll-over. */
final class KeyRoutes {

  private final Optional<FleetKeys> keys;

  /**
   * @param keys empty where the fleet's keys are not
   */
  KeyRoutes(Optional<FleetKeys> keys) {
    this.keys = keys;
  }

  private FleetKeys here() {
    return keys.orElseThrow(
        () ->
            new Problem(
                ErrorCode.ROLE_MISSING,
                "server: not the rendezvous server (expected it, for the fleet's keys)",
                "name the rendezvous server with --server URL"));
  }

  void addTo(RoutesConfig routes) {
    routes.get("/v1/keys", this::listKeys);
    routes.post("/v1/keys", this::rotate);
    routes.delete("/v1/keys/{id}", this::retire);
    routes.get("/v1/ca-roots", this::listRoots);
    routes.post("/v1/ca-roots", this::roll);
    routes.delete("/v1/ca-roots/older", this::finish);
  }

  private interface Change<T> {
    T run() throws KeyChangeException;
  }

  private static <T> T change(Change<T> change) {
    try {
      return change.run();
    } catch (KeyChangeException refused) {
      ErrorCode code =
          switch (refused.reason()) {
            case KEY_UNKNOWN -> ErrorCode.KEY_UNKNOWN;
            case KEY_NEWEST -> ErrorCode.KEY_NEWEST;
            case KEY_IN_USE -> ErrorCode.KEY_IN_USE;
            case CHANGE_UNFINISHED -> ErrorCode.CHANGE_UNFINISHED;
            case ROOT_SINGLE -> ErrorCode.ROOT_SINGLE;
            case ROOT_IN_USE -> ErrorCode.ROOT_IN_USE;
          };
      throw new Problem(code, String.valueOf(refused.getMessage()));
    }
  }

  private void listKeys(Context ctx) {
    Requests.allowQuery(ctx);
    ObjectNode json = Json.MAPPER.createObjectNode();
    ArrayNode items = json.putArray("keys");
    here().masterKeys().forEach(key -> items.add(json(key)));
    ApiServer.send(ctx, json);
  }

  private void rotate(Context ctx) {
    Requests.allowQuery(ctx);
    Requests.allowKeys(Requests.jsonOrNothing(ctx));
    ObjectNode json = json(change(here()::rotate));
    ctx.status(201);
    ApiServer.send(ctx, json);
  }

  private static ObjectNode json(FleetKeys.MasterKey key) {
    return Json.MAPPER
        .createObjectNode()
        .put("id", key.id())
        .put("newest", key.newest())
        .put("devices", key.devices());
  }

  private void retire(Context ctx) {
    boolean force = force(ctx);
    int id;
    try {
      id = Integer.parseInt(ctx.pathParam("id"));
    } catch (NumberFormatException none) {
      throw new Problem(
          ErrorCode.PARAMETER_INVALID, "key ID: " + ctx.pathParam("id") + " (expected 1 to 255)");
    }
    int devices = change(() -> here().retire(id, force));
    ApiServer.send(ctx, Json.MAPPER.createObjectNode().put("id", id).put("devices", devices));
  }

  private void listRoots(Context ctx) {
    Requests.allowQuery(ctx);
    sendRoots(ctx);
  }

  private void roll(Context ctx) {
    Requests.allowQuery(ctx);
    Requests.allowKeys(Requests.jsonOrNothing(ctx));
    change(
        () -> {
          here().roll();
          return true;
        });
    ctx.status(201);
    sendRoots(ctx);
  }

  private void finish(Context ctx) {
    boolean force = force(ctx);
    FleetKeys.Dependents left = change(() -> here().finish(force));
    ApiServer.send(
        ctx,
        Json.MAPPER
            .createObjectNode()
            .put("devices", left.devices())
            .put("servers", left.servers()));
  }

  private void sendRoots(Context ctx) {
    ObjectNode json = Json.MAPPER.createObjectNode();
    ArrayNode items = json.putArray("roots");
    for (FleetKeys.Root root : here().roots()) {
      items
          .addObject()
          .put("fingerprint", root.fingerprint())
          .put("notBefore", Json.time(root.notBefore()))
          .put("notAfter", Json.time(root.notAfter()))
          .put("newest", root.newest())
          .put("devices", root.devices())
          .put("servers", root.servers());
    }
    ApiServer.send(ctx, json);
  }

  private static boolean force(Context ctx) {
    Requests.allowQuery(ctx, "force");
    String force = ctx.queryParam("force");
    if (force != null && !force.equals("true") && !force.equals("false")) {
      throw new Problem(
          ErrorCode.PARAMETER_INVALID, "force: " + force + " (expected true or false)");
    }
    return "true".equals(force);
  }
}
