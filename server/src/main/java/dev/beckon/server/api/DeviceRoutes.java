package dev.beckon.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.Devices;
import dev.beckon.server.identity.EnrollmentCodes;
import dev.beckon.server.identity.KnownDevices;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedSet;

/** The devices: adding, listing, showing, labelling, revoking, waking. */
final class DeviceRoutes {

  private static final SortedSet<String> NO_LABELS = Collections.emptySortedSet();
  private static final Duration DEFAULT_VALIDITY = Duration.ofHours(1);
  private static final Duration DEFAULT_WAKE = Duration.ofSeconds(60);
  private static final Duration MAX_WAKE = Duration.ofDays(1);

  private final KnownDevices devices;
  private final Optional<Devices> register;
  private final Reachability reachability;
  private final WakeRequests wakes;
  private final InstantSource clock;

  DeviceRoutes(
      KnownDevices devices,
      Optional<Devices> register,
      Reachability reachability,
      WakeRequests wakes,
      InstantSource clock) {
    this.devices = devices;
    this.register = register;
    this.reachability = reachability;
    this.wakes = wakes;
    this.clock = clock;
  }

  void addTo(RoutesConfig routes) {
    routes.get("/v1/devices", this::list);
    routes.post("/v1/devices", this::add);
    routes.get("/v1/devices/{id}", this::show);
    routes.put("/v1/devices/{id}/labels", this::label);
    routes.post("/v1/devices/{id}/revocation", this::revoke);
    routes.post("/v1/devices/{id}/wakes", this::wake);
  }

  private Devices register() {
    return register.orElseThrow(
        () ->
            new Problem(
                ErrorCode.ROLE_MISSING,
                "server: an application server (expected the rendezvous server, which adds,"
                    + " labels and revokes devices)"));
  }

  private void list(Context ctx) {
    Requests.allowQuery(ctx, "label", "after", "limit");
    int limit = Requests.limit(ctx);
    String after = ctx.queryParam("after");
    String label = ctx.queryParam("label");
    List<Device> found =
        label == null
            ? devices.list(after, limit + 1)
            : register()
                .list(Requests.chosenLabels(List.of(label.split(",", -1))), after, limit + 1);
    ObjectNode json = Json.MAPPER.createObjectNode();
    ArrayNode items = json.putArray("devices");
    List<Device> shown = found.subList(0, Math.min(found.size(), limit));
    Map<DeviceId, SortedSet<String>> labels = devices.labels(shown);
    shown.stream()
        .map(device -> json(device, labels.getOrDefault(device.id(), NO_LABELS)))
        .forEach(items::add);
    if (found.size() > limit) {
      json.put("next", found.get(limit - 1).id().value());
    }
    ApiServer.send(ctx, json);
  }

  private ObjectNode json(Device device) {
    return json(device, devices.labels(List.of(device)).getOrDefault(device.id(), NO_LABELS));
  }

  private ObjectNode json(Device device, SortedSet<String> labels) {
    return Json.device(device, reachability.presence(device.id()), labels);
  }

  private void label(Context ctx) {
    Requests.allowQuery(ctx);
    ObjectNode json = Requests.json(ctx);
    Requests.allowKeys(json, "labels");
    List<String> labels = Requests.texts(json, "labels");
    register();
    Device device = find(ctx);
    try {
      if (!Requests.await(register().label(device.id(), labels))) {
        throw CommandRoutes.deviceUnknown(device.id());
      }
    } catch (IllegalArgumentException invalid) {
      throw new Problem(ErrorCode.LABEL_INVALID, String.valueOf(invalid.getMessage()));
    }
    ApiServer.send(ctx, json(device));
  }

  private void add(Context ctx) {
    Requests.allowQuery(ctx);
    ObjectNode json = Requests.json(ctx);
    Requests.allowKeys(json, "id", "valid");
    DeviceId id =
        Requests.deviceId(
            Requests.text(json, "id")
                .orElseThrow(
                    () ->
                        new Problem(
                            ErrorCode.REQUEST_MALFORMED, "id: missing (expected a device ID)")));
    Duration valid =
        Requests.text(json, "valid")
            .map(text -> TimeText.duration("valid", text, EnrollmentCodes.MAX_VALIDITY))
            .orElse(DEFAULT_VALIDITY);
    if (valid.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new Problem(ErrorCode.PARAMETER_INVALID, "valid: 0s (expected 1s or more)");
    }
    EnrollmentCode code = Requests.await(register().add(id, valid));
    ObjectNode answer = Json.MAPPER.createObjectNode();
    answer.put("id", id.value());
    answer.put("enrollmentCode", code.format());
    answer.put("expiresAt", Json.time(code.expiry()));
    ctx.status(201);
    ctx.header("Location", "/v1/devices/" + id);
    ApiServer.send(ctx, answer);
  }

  private void show(Context ctx) {
    Requests.allowQuery(ctx);
    ApiServer.send(ctx, json(find(ctx)));
  }

  private Device find(Context ctx) {
    DeviceId id = Requests.deviceId(ctx.pathParam("id"));
    return devices.find(id).orElseThrow(() -> CommandRoutes.deviceUnknown(id));
  }

  private void revoke(Context ctx) {
    Requests.allowQuery(ctx);
    Requests.allowKeys(Requests.jsonOrNothing(ctx));
    register();
    Device device = find(ctx);
    if (!Requests.await(register().revoke(device.id()))) {
      throw CommandRoutes.deviceUnknown(device.id());
    }
    ApiServer.send(ctx, json(find(ctx)));
  }

  private void wake(Context ctx) {
    Requests.allowQuery(ctx);
    ObjectNode json = Requests.jsonOrNothing(ctx);
    Requests.allowKeys(json, "deadline", "server");
    OptionalInt server = server(json);
    Instant now = clock.instant();
    Instant deadline =
        Requests.text(json, "deadline")
            .map(text -> TimeText.deadline(text, now))
            .orElse(now.plus(DEFAULT_WAKE));
    if (!deadline.isAfter(now)) {
      throw new Problem(
          ErrorCode.DEADLINE_PASSED, "deadline: " + deadline + " (expected a time to come)");
    }
    if (deadline.isAfter(now.plus(MAX_WAKE))) {
      throw new Problem(
          ErrorCode.DEADLINE_TOO_FAR,
          "deadline: " + deadline + " (expected within " + MAX_WAKE.toHours() + " h)");
    }
    DeviceId id = Requests.deviceId(ctx.pathParam("id"));
    if (register.isPresent() && find(ctx).state() == Device.State.REVOKED) {
      throw revoked(id); // an application server's requests are judged where the register is
    }
    switch (wakes.request(id, server, deadline)) {
      case WAKING -> {}
      case DEVICE_UNKNOWN -> throw CommandRoutes.deviceUnknown(id);
      case DEVICE_REVOKED -> throw revoked(id);
      case SERVER_UNKNOWN ->
          throw new Problem(
              ErrorCode.APPLICATION_SERVER_UNKNOWN,
              "server: "
                  + server.orElse(0)
                  + " (expected the number of an application server; one of them wakes for itself"
                  + " only)");
      case AWAY ->
          throw new Problem(
              ErrorCode.RENDEZVOUS_AWAY,
              "rendezvous server: away (expected it to be connected; ask again in a moment)");
    }
    ObjectNode answer = Json.MAPPER.createObjectNode();
    answer.put("deviceId", id.value());
    server.ifPresent(number -> answer.put("server", number));
    answer.put("deadline", Json.time(deadline));
    ctx.status(202);
    ApiServer.send(ctx, answer);
  }

  private static Problem revoked(DeviceId id) {
    return new Problem(
        ErrorCode.DEVICE_REVOKED,
        "device: " + id + " is revoked (expected one that is enrolled)",
        "let it in again: add it and enroll it anew");
  }

  private static OptionalInt server(ObjectNode json) {
    JsonNode number = json.path("server");
    if (number.isMissingNode()) {
      return OptionalInt.empty();
    }
    if (!number.isIntegralNumber()
        || !number.canConvertToInt()
        || number.asInt() < 0
        || number.asInt() > 65_535) {
      throw new Problem(
          ErrorCode.PARAMETER_INVALID, "server: " + number + " (expected a number, 0 to 65535)");
    }
    return OptionalInt.of(number.asInt());
  }
}
