package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.YamlMap;

/** Reads the sections of an {@code agent.yaml} about actions. */
final class Actions {
  private Actions() {}

  static ActionsConfig read(String yaml) throws ConfigException {
    return ActionsConfig.read(
        YamlMap.parse("agent.yaml", yaml).onlyWith(ActionsConfig.SECTIONS.toArray(new String[0])));
  }
}
