package dev.beckon.agent;

import dev.beckon.agent.action.ActionsConfig;
import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.DurationText;
import dev.beckon.agent.config.YamlMap;
import dev.beckon.device.Delivery;
import dev.beckon.protocol.Security;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code agent.yaml} says.
 *
 * @param delivery null if it is left to the default
 * @param interval null if it is left to the default
 * @param security null if it is left to the default
 * @param insecure whether a security below mutual is allowed over networks
 * @param actions what its sections say about the built-in actions
 */
record AgentConfig(
    @Nullable Delivery delivery,
    @Nullable Duration interval,
    boolean oneWayKeepalives,
    @Nullable Security security,
    boolean insecure,
    ActionsConfig actions) {

  static final AgentConfig EMPTY =
      new AgentConfig(null, null, false, null, false, ActionsConfig.DEFAULT);

  static AgentConfig read(Path file) throws ConfigException {
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new ConfigException("config: " + file + " (expected a file; there is none)");
    } catch (IOException e) {
      throw new ConfigException("config: " + file + " (cannot be read: " + e.getMessage() + ")");
    }
  }

  static AgentConfig parse(String file, String text) throws ConfigException {
    List<String> known =
        new ArrayList<>(
            List.of("delivery", "interval", "one-way-keepalives", "security", "insecure"));
    known.addAll(ActionsConfig.SECTIONS);
    YamlMap top = YamlMap.parse(file, text).onlyWith(known.toArray(new String[0]));
    Delivery delivery =
        top.<Delivery>value("delivery", "push or inquiry", AgentConfig::parseDelivery);
    Duration interval =
        top.<Duration>value("interval", DurationText.EXPECTATION, DurationText::parse);
    return new AgentConfig(
        delivery,
        interval,
        top.flag("one-way-keepalives", false),
        top.<Security>value("security", "mutual, server or none", AgentConfig::parseSecurity),
        top.flag("insecure", false),
        ActionsConfig.read(top));
  }

  static Security parseSecurity(String text) {
    for (Security mode : Security.values()) {
      if (mode.text().equals(text)) {
        return mode;
      }
    }
    throw new IllegalArgumentException(text + " (expected mutual, server or none)");
  }

  static Delivery parseDelivery(String text) {
    return switch (text) {
      case "push" -> Delivery.PUSH;
      case "inquiry" -> Delivery.INQUIRY;
      default -> throw new IllegalArgumentException(text + " (expected push or inquiry)");
    };
  }
}
