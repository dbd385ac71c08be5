package dev.beckon.server.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Maps and lists of texts, as they stand in one column: JSON. */
final class JsonColumn {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeReference<Map<String, String>> TEXTS = new TypeReference<>() {};
  private static final TypeReference<Set<String>> NAMES = new TypeReference<>() {};

  private JsonColumn() {}

  static String json(Map<String, String> texts) {
    return json((Object) new TreeMap<>(texts));
  }

  static String json(Object texts) {
    try {
      return JSON.writeValueAsString(texts);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("texts that JSON cannot hold", e);
    }
  }

  static Map<String, String> texts(String json) throws SQLException {
    return read(json, TEXTS);
  }

  static Set<String> names(String json) throws SQLException {
    return read(json, NAMES);
  }

  private static <T> T read(String json, TypeReference<T> type) throws SQLException {
    try {
      return JSON.readValue(json, type);
    } catch (JsonProcessingException e) {
      // Without its message, which can quote a value.
      throw new SQLException("a stored map is damaged: " + e.getLocation());
    }
  }
}
