package dev.beckon.agent.config;

import dev.beckon.device.Parameter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Reads typed parameters: {@code volume: {type: integer, minimum: 0, maximum: 100}}. */
public final class Parameters {
  private Parameters() {}

  /**
   * All parameters below a key.
   *
   * @param taken the name that none of them may have
   */
  public static Map<String, Parameter> read(YamlMap parent, String key, String taken)
      throws ConfigException {
    Map<String, Parameter> parameters = new LinkedHashMap<>();
    YamlMap all = parent.map(key);
    for (String name : all.keys()) {
      if (name.equals(taken)) {
        throw all.bad(name, "taken (expected another name)");
      }
      YamlMap one =
          all.map(name).onlyWith("type", "minimum", "maximum", "one-of", "description", "optional");
      Parameter parameter = one(all, name, one);
      parameters.put(name, one.flag("optional", false) ? parameter.optional() : parameter);
    }
    return parameters;
  }

  /**
   * One parameter.
   *
   * @param parent where it stands, for complaints
   */
  public static Parameter one(YamlMap parent, String name, YamlMap map) throws ConfigException {
    try {
      Parameter parameter = typed(name, map);
      Double minimum = map.number("minimum");
      Double maximum = map.number("maximum");
      if ((minimum == null) != (maximum == null)) {
        throw parent.bad(name, "half a range (expected minimum and maximum)");
      }
      if (minimum != null && maximum != null) {
        parameter = parameter.between(minimum, maximum);
      }
      if (map.has("one-of")) {
        parameter = parameter.oneOf(map.list("one-of").toArray(new String[0]));
      }
      String description = map.text("description");
      return description == null ? parameter : parameter.describedAs(description);
    } catch (IllegalArgumentException e) {
      throw parent.bad(name, String.valueOf(e.getMessage()));
    }
  }

  private static Parameter typed(String name, YamlMap map) throws ConfigException {
    String type = map.text("type");
    return switch (type == null ? "text" : type.toLowerCase(Locale.ROOT)) {
      case "text" -> Parameter.text(name);
      case "integer" -> Parameter.integer(name);
      case "number" -> Parameter.number(name);
      case "flag" -> Parameter.flag(name);
      default -> throw map.bad("type", type + " (expected text, integer, number or flag)");
    };
  }
}
