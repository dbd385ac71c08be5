package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import picocli.CommandLine.Option;

/** A command that lists what may be too much for one answer, page by page. */
abstract class ListCommand extends RequestCommand {

  private static final int PAGE = 200;

  private final List<String> names;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "At most so many lines (default: ${DEFAULT-VALUE}).")
  private int limit = 100;

  private boolean more;

  /**
   * @param names of the lists in the server's answers; they share a page
   */
  ListCommand(Surroundings surroundings, String... names) {
    super(surroundings);
    this.names = List.of(names);
  }

  /** Where the server has the list. */
  abstract String path();

  /** Shows entries, of which there is at least one; list after list. */
  abstract void showEntries(JsonNode entries);

  /** What to say if there is nothing to list. */
  abstract String ifNone();

  /** Fetches page after page. The server names the next page by a cursor. */
  @Override
  final JsonNode ask(Api api) {
    ObjectNode listing = Api.JSON.createObjectNode();
    names.forEach(listing::putArray);
    String path = path();
    String cursor = "";
    int count = 0;
    do {
      String query = (path.contains("?") ? "&" : "?") + "limit=" + Math.min(PAGE, limit - count);
      if (!cursor.isEmpty()) {
        query += "&after=" + Api.escape(cursor);
      }
      JsonNode page = api.get(path + query);
      for (String name : names) {
        page.path(name).forEach(listing.withArray(name)::add);
        count += page.path(name).size();
      }
      cursor = page.path("next").asText("");
    } while (!cursor.isEmpty() && count < limit);
    more = !cursor.isEmpty();
    return listing;
  }

  @Override
  final void show(JsonNode answer) {
    ArrayNode entries = Api.JSON.createArrayNode();
    names.forEach(name -> answer.path(name).forEach(entries::add));
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
