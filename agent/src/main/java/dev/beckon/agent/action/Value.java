package dev.beckon.agent.action;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.Parameters;
import dev.beckon.agent.config.YamlMap;
import dev.beckon.device.Parameter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something that can be set.
 *
 * @param initial until it is first set; null if it has no value until then
 */
public record Value(Parameter parameter, @Nullable String initial) {

  /** All of the section {@code values}. */
  static Map<String, Value> readAll(YamlMap values) throws ConfigException {
    Map<String, Value> all = new LinkedHashMap<>();
    for (String name : values.keys()) {
      YamlMap map = values.map(name);
      map.onlyWith("type", "minimum", "maximum", "one-of", "description", "initial");
      Parameter parameter = Parameters.one(values, name, map);
      String initial = map.text("initial");
      String refusal = initial == null ? null : parameter.refusal(initial);
      if (refusal != null) {
        throw map.bad("initial", refusal);
      }
      all.put(name, new Value(parameter.optional(), initial));
    }
    return all;
  }
}
