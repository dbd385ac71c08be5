package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

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

  /** A device's labels, sorted. */
  static SortedSet<String> of(Sql sql, DeviceId id) throws SQLException {
    return new TreeSet<>(
        sql.list(
            "SELECT label FROM labels WHERE device_id = ?", row -> row.getString(1), id.value()));
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
   * @param actionsHash of what it declared; empty if it declared nothing
   */
  public record Labelled(DeviceId id, ByteString actionsHash) {}

  /**
   * Enrolled devices that have all the labels, sorted by ID; within another part's transaction.
   *
   * @param labels at least one
   * @param after only those behind this ID; "" = from the first
   */
  public static List<Labelled> enrolled(Sql sql, SortedSet<String> labels, String after, int limit)
      throws SQLException {
    List<Object> parameters = new ArrayList<>();
    String from = having(labels, parameters);
    parameters.add(after);
    parameters.add(limit);
    return sql.list(
        "SELECT d.id, d.actions_hash "
            + from
            + " AND d.state = 'ENROLLED' AND l.device_id > ? ORDER BY l.device_id LIMIT ?",
        row -> {
          byte[] hash = row.getBytes(2);
          return new Labelled(
              new DeviceId(row.getString(1)),
              hash == null ? ByteString.EMPTY : ByteString.copyFrom(hash));
        },
        parameters.toArray());
  }

  /** How many enrolled devices have all the labels; within another part's transaction. */
  public static int countEnrolled(Sql sql, SortedSet<String> labels) throws SQLException {
    List<Object> parameters = new ArrayList<>();
    String from = having(labels, parameters);
    return sql.first(
            "SELECT count(*) " + from + " AND d.state = 'ENROLLED'",
            row -> row.getInt(1),
            parameters.toArray())
        .orElse(0);
  }

  /**
   * The middle of a query for devices {@code d} that have all the labels. It walks along the first
   * label ({@code l}), which is sorted by device, and looks the others up.
   *
   * @param parameters receives what fills the placeholders
   */
  static String having(SortedSet<String> labels, List<Object> parameters) {
    StringBuilder from =
        new StringBuilder("FROM labels l JOIN devices d ON d.id = l.device_id WHERE l.label = ?");
    parameters.add(labels.first());
    for (String other : labels.tailSet(labels.first() + '\0')) {
      from.append(
          " AND EXISTS (SELECT 1 FROM labels o WHERE o.label = ? AND o.device_id = l.device_id)");
      parameters.add(other);
    }
    return from.toString();
  }
}
