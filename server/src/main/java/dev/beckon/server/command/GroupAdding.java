package dev.beckon.server.command;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.Labels;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Adds the commands of groups that were accepted: in portions along the devices' IDs, and at once
 * for a device that gets another command before its portion, so that each device has its commands
 * in the order in which they were accepted. Writes run on the writer thread.
 */
final class GroupAdding {

  /**
   * Devices looked at for one portion. Few of those that have one label may have the others: some
   * 10 ms on the thread that reads.
   */
  static final int VISITS = 10_000;

  private final DeviceLookup devices;
  private final CommandIds ids;

  GroupAdding(DeviceLookup devices, CommandIds ids) {
    this.devices = devices;
    this.ids = ids;
  }

  /**
   * The next devices of a group.
   *
   * @param after the ID behind which they are
   */
  record Portion(String groupId, String after, Labels.Step step) {}

  /** What is to be added next; empty if nothing is. Reads what may be much. */
  Optional<Portion> next(Sql sql, String groupId, int limit) throws SQLException {
    GroupTable.Stored stored = GroupTable.shared(sql, groupId).orElse(null);
    String addedTo = stored == null ? null : stored.addedTo();
    if (stored == null || addedTo == null) {
      return Optional.empty();
    }
    return Optional.of(
        new Portion(
            groupId, addedTo, Labels.step(sql, labels(stored.group()), addedTo, limit, VISITS)));
  }

  /**
   * Adds the portion's commands, as far as its devices still have the labels.
   *
   * @param stored the group as it is now
   * @return whether that was the last portion
   */
  boolean add(Sql sql, GroupTable.Stored stored, Portion portion, Instant now) throws SQLException {
    if (!portion.after().equals(stored.addedTo())) {
      return false; // another one was added since this was read
    }
    SortedSet<String> labels = labels(stored.group());
    Map<String, String> args = stored.revealed().args();
    Map<ByteString, Optional<String>> misfits = new HashMap<>();
    for (DeviceId id : portion.step().devices()) {
      Labels.Labelled device = Labels.labelled(sql, labels, id).orElse(null);
      if (device != null && !GroupTable.hasCommand(sql, stored.id(), id)) {
        add(sql, stored.group(), device, args, misfits, now);
      }
    }
    String upTo = portion.step().upTo();
    if (upTo == null) {
      GroupTable.complete(sql, stored.id());
      return true;
    }
    GroupTable.addedTo(sql, stored.id(), upTo);
    return false;
  }

  /** Adds this device's commands of the groups that have not come to it yet, the oldest first. */
  void addOwed(Sql sql, DeviceId id, Instant now) throws SQLException {
    for (String groupId : GroupTable.owed(sql, id)) {
      GroupTable.Stored stored = GroupTable.shared(sql, groupId).orElseThrow();
      Labels.Labelled device = Labels.labelled(sql, labels(stored.group()), id).orElse(null);
      if (device != null && !GroupTable.hasCommand(sql, groupId, id)) {
        add(sql, stored.group(), device, stored.revealed().args(), new HashMap<>(), now);
      }
    }
  }

  private void add(
      Sql sql,
      Group group,
      Labels.Labelled device,
      Map<String, String> args,
      Map<ByteString, Optional<String>> misfits,
      Instant now)
      throws SQLException {
    GroupTable.addCommand(
        sql,
        group,
        ids.next(now.toEpochMilli()),
        device.id(),
        refusal(sql, device, group, args, misfits),
        now);
  }

  /**
   * Why the command cannot go to this device; null if it can.
   *
   * @param args with the secret values
   * @param misfits what was found out about declared actions in this portion. By the actions
   *     themselves: their hash is the device's word, and another device's may be the same.
   */
  private @Nullable String refusal(
      Sql sql,
      Labels.Labelled device,
      Group group,
      Map<String, String> args,
      Map<ByteString, Optional<String>> misfits)
      throws SQLException {
    Optional<String> misfit = misfits.get(device.actions());
    if (misfit == null) {
      misfit =
          devices
              .find(sql, device.id())
              .map(Device::actions)
              .flatMap(
                  actions ->
                      DeclaredActions.refusal(
                          actions, group.action(), args, group.secrecy().args(), group.bodyBytes()))
              .map(Submission.Refused::detail);
      misfits.put(device.actions(), misfit);
    }
    return misfit.isPresent()
        ? misfit.get()
        : Acceptance.tooMany(sql, device.id()).map(Submission.Refused::detail).orElse(null);
  }

  private static SortedSet<String> labels(Group group) {
    return new TreeSet<>(group.labels());
  }
}
