package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Labels of devices: words by which operators choose many of them at once. They belong to the ID
 * and stay when the device enrolls again.
 */
public final class Labels {

  /** Of one device. Enough for site, model, batch and role; each costs two rows of an index. */
  public static final int MAX_PER_DEVICE = 32;

  /** Those that a device must have, in one choice of devices. */
  public static final int MAX_CHOSEN = 8;

  /** The alphabet of device IDs: no comma, which stands between labels. */
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._:-]{1,64}");

  private static final int MAX_SHOWN = 64;

  /** A label of more devices than this is a frequent one: some milliseconds to find that out. */
  private static final int MAX_COUNTED = 10_000;

  private Labels() {}

  /**
   * The labels sorted, each once.
   *
   * @param most how many there may be
   * @throws IllegalArgumentException with a message for people if one of them cannot be a label, or
   *     there are too many
   */
  public static SortedSet<String> checked(Collection<String> labels, int most) {
    for (String label : labels) {
      if (!LABEL.matcher(label).matches()) {
        String shown = label.length() <= MAX_SHOWN ? label : label.substring(0, MAX_SHOWN) + "…";
        throw new IllegalArgumentException(
            "label: \"" + shown + "\" (expected 1 to 64 of A-Z a-z 0-9 . _ : -)");
      }
    }
    SortedSet<String> sorted = new TreeSet<>(labels);
    if (sorted.size() > most) {
      throw new IllegalArgumentException(
          "labels: " + sorted.size() + " (expected at most " + most + ")");
    }
    return Collections.unmodifiableSortedSet(sorted);
  }

  /** The labels of these devices, by ID; a device without labels is missing. */
  static Map<DeviceId, SortedSet<String>> of(Sql sql, Collection<DeviceId> devices)
      throws SQLException {
    Map<DeviceId, SortedSet<String>> labels = new HashMap<>();
    // One query for all; their number is not in its text, so it is compiled once.
    sql.list(
            "SELECT l.device_id, l.label FROM json_each(?) j CROSS JOIN labels l ON l.device_id ="
                + " j.value",
            row -> Map.entry(new DeviceId(row.getString(1)), row.getString(2)),
            quoted(devices))
        .forEach(
            row -> labels.computeIfAbsent(row.getKey(), id -> new TreeSet<>()).add(row.getValue()));
    return labels;
  }

  /** As a JSON array; no character of an ID has a meaning there. */
  private static String quoted(Collection<DeviceId> devices) {
    return devices.stream()
        .map(id -> '"' + id.value() + '"')
        .collect(Collectors.joining(",", "[", "]"));
  }

  /** Puts these in the place of those that the device had. */
  static void set(Sql sql, DeviceId id, Collection<String> labels) throws SQLException {
    sql.update("DELETE FROM labels WHERE device_id = ?", id.value());
    for (String label : labels) {
      sql.update("INSERT INTO labels (label, device_id) VALUES (?, ?)", label, id.value());
    }
  }

  /**
   * A device that a group command goes to.
   *
   * @param actions what it declared, as it is stored; empty if it declared nothing
   */
  public record Labelled(DeviceId id, ByteString actions) {}

  /**
   * A step along the devices that have some labels.
   *
   * @param devices sorted by ID
   * @param upTo every device up to this ID was looked at; null = there are none behind
   */
  public record Step(List<DeviceId> devices, @Nullable String upTo) {
    public Step {
      devices = List.copyOf(devices);
    }
  }

  /**
   * The next enrolled devices that have all the labels; a step can be short although more follow.
   *
   * @param labels at least one
   * @param after only those behind this ID; "" = from the first
   * @param limit most devices to find
   * @param visits most devices of one label to look at, so that the time is bounded also where
   *     hardly any of them has the other labels
   */
  public static Step step(Sql sql, SortedSet<String> labels, String after, int limit, int visits)
      throws SQLException {
    List<String> rarest = rarestFirst(sql, labels, after);
    String lastVisited =
        sql.first(
                "SELECT device_id FROM labels WHERE label = ? AND device_id > ? ORDER BY device_id"
                    + " LIMIT 1 OFFSET ?",
                row -> row.getString(1),
                rarest.getFirst(),
                after,
                visits - 1)
            .orElse(null);
    List<Object> parameters = new ArrayList<>();
    String from = having(rarest, parameters);
    parameters.add(after);
    if (lastVisited != null) {
      parameters.add(lastVisited);
    }
    parameters.add(limit);
    List<DeviceId> devices =
        sql.list(
            "SELECT l.device_id "
                + from
                + " AND d.state = 'ENROLLED' AND l.device_id > ?"
                + (lastVisited == null ? "" : " AND l.device_id <= ?")
                + " ORDER BY l.device_id LIMIT ?",
            row -> new DeviceId(row.getString(1)),
            parameters.toArray());
    return new Step(devices, devices.size() < limit ? lastVisited : devices.getLast().value());
  }

  /** The device, if it is enrolled and has all the labels; within another part's transaction. */
  public static Optional<Labelled> labelled(Sql sql, SortedSet<String> labels, DeviceId id)
      throws SQLException {
    List<Object> parameters = new ArrayList<>();
    parameters.add(id.value());
    String others = alsoHaving(labels, "d.id", parameters);
    return sql.first(
        "SELECT d.actions FROM devices d WHERE d.id = ? AND d.state = 'ENROLLED'" + others,
        row -> {
          byte[] actions = row.getBytes(1);
          return new Labelled(
              id, actions == null ? ByteString.EMPTY : ByteString.copyFrom(actions));
        },
        parameters.toArray());
  }

  /** How many enrolled devices have all the labels. */
  public static int countEnrolled(Sql sql, SortedSet<String> labels) throws SQLException {
    List<Object> parameters = new ArrayList<>();
    String from = having(rarestFirst(sql, labels, ""), parameters);
    return sql.first(
            "SELECT count(*) " + from + " AND d.state = 'ENROLLED'",
            row -> row.getInt(1),
            parameters.toArray())
        .orElse(0);
  }

  /**
   * The labels, that of the fewest devices first: the others are looked up for each of those.
   *
   * @param after only devices behind this ID count
   */
  static List<String> rarestFirst(Sql sql, SortedSet<String> labels, String after)
      throws SQLException {
    if (labels.size() == 1) {
      return List.copyOf(labels);
    }
    Map<String, Integer> devices = new HashMap<>();
    for (String label : labels) {
      devices.put(
          label,
          sql.first(
                  "SELECT count(*) FROM (SELECT 1 FROM labels WHERE label = ? AND device_id > ?"
                      + " LIMIT ?)",
                  row -> row.getInt(1),
                  label,
                  after,
                  MAX_COUNTED)
              .orElse(0));
    }
    return labels.stream().sorted(Comparator.comparing(devices::get)).toList();
  }

  /**
   * The middle of a query for devices {@code d} that have all the labels. It walks along the first
   * label ({@code l}), which is sorted by device, and looks the others up.
   *
   * @param parameters receives what fills the placeholders
   */
  static String having(List<String> rarestFirst, List<Object> parameters) {
    parameters.add(rarestFirst.getFirst());
    // CROSS: SQLite keeps the order of such a join.
    return "FROM labels l CROSS JOIN devices d ON d.id = l.device_id WHERE l.label = ?"
        + alsoHaving(rarestFirst.subList(1, rarestFirst.size()), "l.device_id", parameters);
  }

  private static String alsoHaving(
      Collection<String> labels, String device, List<Object> parameters) {
    parameters.addAll(labels);
    return (" AND EXISTS (SELECT 1 FROM labels o WHERE o.label = ? AND o.device_id = "
            + device
            + ")")
        .repeat(labels.size());
  }
}
