package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import picocli.CommandLine.Option;

/** A command that lists what may be too much for one answer, page by page. */
abstract class ListCommand extends RequestCommand {

  private static final int PAGE = 200;

  private final String name;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "At most so many lines (default: ${DEFAULT-VALUE}).")
  private int limit = 100;

  private boolean more;

  /**
   * @param name of the list in the server's answers
   */
  ListCommand(Surroundings surroundings, String name) {
    super(surroundings);
    this.name = name;
  }

  /** Where the server has the list. */
  abstract String path();

  /** Shows entries, of which there is at least one. */
  abstract void showEntries(JsonNode entries);

  /** What to say if there is nothing to list. */
  abstract String ifNone();

  /** Fetches page after page. The server names the next page by a cursor. */
  @Override
  final JsonNode ask(Api api) {
    ObjectNode listing = Api.JSON.createObjectNode();
    ArrayNode entries = listing.putArray(name);
    String path = path();
    String cursor = "";
    do {
      String query =
          (path.contains("?") ? "&" : "?") + "limit=" + Math.min(PAGE, limit - entries.size());
      if (!cursor.isEmpty()) {
        query += "&after=" + Api.escape(cursor);
      }
      JsonNode page = api.get(path + query);
      page.path(name).forEach(entries::add);
      cursor = page.path("next").asText("");
    } while (!cursor.isEmpty() && entries.size() < limit);
    more = !cursor.isEmpty();
    return listing;
  }

  @Override
  final void show(JsonNode answer) {
    JsonNode entries = answer.path(name);
    if (entries.isEmpty()) {
      remark(ifNone());
      return;
    }
    showEntries(entries);
    if (more) {
      remark("(there are more: --limit N shows them)");
    }
  }
}
