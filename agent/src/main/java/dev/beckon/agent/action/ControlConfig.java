package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.Parameters;
import dev.beckon.agent.config.YamlMap;
import dev.beckon.device.Parameter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The section {@code control}: other devices that may be switched on by a magic packet, or called
 * over HTTP.
 *
 * @param wakes by the name that a command gives
 * @param calls by the name that a command gives
 */
public record ControlConfig(Map<String, WakeOnLan> wakes, Map<String, Call> calls) {
  static final ControlConfig NONE = new ControlConfig(Map.of(), Map.of());

  private static final int DISCARD_PORT = 9;
  private static final long MAX_ANSWER_BYTES = 8 << 20;
  private static final long DEFAULT_ANSWER_BYTES = 64 << 10;
  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(10);

  /**
   * An HTTP call.
   *
   * @param url with places for parameters
   * @param body that is sent each time; null to send the command's, if the method has one
   */
  public record Call(
      String method,
      UrlTemplate url,
      Map<String, String> headers,
      @Nullable String body,
      Map<String, Parameter> parameters,
      Duration timeLimit,
      long maxAnswerBytes) {

    boolean takesBody() {
      return body == null && !method.equals("GET") && !method.equals("DELETE");
    }
  }

  static ControlConfig read(YamlMap control) throws ConfigException {
    control.onlyWith("wake-on-lan", "calls");
    Map<String, WakeOnLan> wakes = new LinkedHashMap<>();
    YamlMap wakeMaps = control.map("wake-on-lan");
    for (String name : wakeMaps.names()) {
      wakes.put(name, wake(wakeMaps.map(name)));
    }
    Map<String, Call> calls = new LinkedHashMap<>();
    YamlMap callMaps = control.map("calls");
    for (String name : callMaps.names()) {
      calls.put(name, call(callMaps.map(name)));
    }
    return new ControlConfig(wakes, calls);
  }

  private static WakeOnLan wake(YamlMap map) throws ConfigException {
    map.onlyWith("mac", "broadcast", "port", "description");
    String expectation = "six bytes, such as 00:11:22:aa:bb:cc";
    String mac = map.required("mac", expectation);
    if (!WakeOnLan.MAC.matcher(mac).matches()) {
      throw map.bad("mac", mac + " (expected " + expectation + ")");
    }
    String broadcast = map.text("broadcast");
    InetAddress address = null;
    if (broadcast != null) {
      try {
        // Digits only: nothing is looked up.
        if (!broadcast.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}")) {
          throw new UnknownHostException(broadcast);
        }
        address = InetAddress.getByName(broadcast);
      } catch (UnknownHostException e) {
        throw map.bad("broadcast", broadcast + " (expected an IPv4 address)");
      }
    }
    return new WakeOnLan(mac, address, map.integer("port", 1, 65535, DISCARD_PORT));
  }

  private static Call call(YamlMap map) throws ConfigException {
    map.onlyWith(
        "method",
        "url",
        "headers",
        "body",
        "parameters",
        "time-limit",
        "max-answer",
        "description");
    String text = map.required("url", "an http URL");
    UrlTemplate url;
    try {
      url = new UrlTemplate(text);
    } catch (IllegalArgumentException e) {
      throw map.bad("url", text + " (expected " + e.getMessage() + ")");
    }
    Map<String, Parameter> parameters = Parameters.read(map, "parameters", ControlAction.CALL);
    if (parameters.containsKey(ControlAction.WAKE)) {
      throw map.map("parameters").bad(ControlAction.WAKE, "taken (expected another name)");
    }
    for (String place : url.places()) {
      if (!parameters.containsKey(place)) {
        throw map.bad(
            "url", "{" + place + "} (expected one of the parameters " + parameters.keySet() + ")");
      }
    }
    for (String parameter : parameters.keySet()) {
      if (!url.places().contains(parameter)) {
        throw map.map("parameters")
            .bad(parameter, "unused (expected {" + parameter + "} in the url)");
      }
    }
    String method = map.text("method");
    String body = map.text("body");
    if (body != null && (method == null || method.equals("GET"))) {
      throw map.bad("body", "with GET (expected method: POST, PUT or PATCH)");
    }
    return new Call(
        method == null ? "GET" : HttpTargets.method(map, method),
        url,
        HttpTargets.headers(map),
        body,
        parameters,
        map.duration("time-limit", DEFAULT_TIME_LIMIT),
        map.size("max-answer", MAX_ANSWER_BYTES, DEFAULT_ANSWER_BYTES));
  }
}
