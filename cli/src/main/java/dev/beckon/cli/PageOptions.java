package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** How much of a list to fetch. */
final class PageOptions {

  private static final int PAGE = 200;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "At most so many lines (default: ${DEFAULT-VALUE}).")
  private int limit = 100;

  /**
   * A list's first entries.
   *
   * @param more whether the server has more of them
   */
  record Listing(String name, List<JsonNode> items, boolean more) {

    ObjectNode json() {
      ObjectNode json = Api.JSON.createObjectNode();
      json.putArray(name).addAll(items);
      return json;
    }

    void sayWhetherMore(Surroundings surroundings) {
      if (more) {
        surroundings.err().println("(there are more: --limit N shows them)");
      }
    }
  }

  /** Fetches page after page. The server names the next page by a cursor. */
  Listing fetch(Api api, String path, String name) {
    List<JsonNode> items = new ArrayList<>();
    String cursor = "";
    while (true) {
      String query =
          (path.contains("?") ? "&" : "?") + "limit=" + Math.min(PAGE, limit - items.size());
      if (!cursor.isEmpty()) {
        query += "&after=" + Api.escape(cursor);
      }
      JsonNode page = api.get(path + query);
      page.path(name).forEach(items::add);
      cursor = page.path("next").asText("");
      if (cursor.isEmpty() || items.size() >= limit) {
        return new Listing(name, items, !cursor.isEmpty());
      }
    }
  }
}
