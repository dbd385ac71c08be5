package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.command.CommandTable.Stored;
import dev.beckon.server.identity.Device;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a new command becomes one. Runs on the writer thread, so the order of IDs is the
 * order of acceptance, and a key cannot be used twice at once.
 */
final class Acceptance {

  private final DeviceLookup devices;
  private final CommandIds ids;
  private final GroupAdding groupAdding;

  /**
   * Of a command's content.
   *
   * @param secrets of the secret parts; null if the command has none, or no longer has them
   */
  @SuppressWarnings("ArrayRecordComponent") // compared below
  record Hashes(byte[] content, byte @Nullable [] secrets) {

    static Hashes of(NewCommand command) {
      return new Hashes(
          ContentHash.of(command), command.hasSecrets() ? SecretParts.hash(command) : null);
    }

    static Hashes of(NewGroup wanted) {
      return new Hashes(wanted.contentHash(), of(wanted.command()).secrets);
    }

    /** Secrets that are gone cannot be compared. */
    boolean sameAs(Hashes first) {
      return Arrays.equals(content, first.content)
          && (first.secrets == null || Arrays.equals(secrets, first.secrets));
    }
  }

  Acceptance(DeviceLookup devices, CommandIds ids, GroupAdding groupAdding) {
    this.devices = devices;
    this.ids = ids;
    this.groupAdding = groupAdding;
  }

  /**
   * @param body name of the body's file
   * @param hashes of the content, to recognise a repetition
   */
  Submission accept(Sql sql, NewCommand asked, @Nullable String body, Hashes hashes, Instant now)
      throws SQLException {
    // First, because a repetition after the deadline still returns the first command.
    Optional<Submission> before = before(sql, asked, hashes);
    if (before.isPresent()) {
      return before.get();
    }
    Device device = devices.find(sql, asked.deviceId()).orElse(null);
    if (device == null) {
      return new Submission.DeviceUnknown();
    }
    Optional<Submission.Refused> refused = refusal(sql, asked, device, now);
    if (refused.isPresent()) {
      return refused.get();
    }
    // Groups that were accepted before come before it, also if their portions do not.
    groupAdding.addOwed(sql, device.id(), now);
    byte[] content = asked.body();
    Instant accepted = now.truncatedTo(ChronoUnit.MILLIS);
    Command command =
        new Command(
            ids.next(now.toEpochMilli()),
            asked.deviceId(),
            asked.action(),
            SecretParts.shownArgs(asked),
            content == null ? 0 : content.length,
            CommandState.QUEUED,
            accepted,
            asked.deadline().truncatedTo(ChronoUnit.MILLIS),
            null,
            Map.of(),
            0,
            List.of(new TimelineEntry(accepted, "queued", Map.of())),
            secrecy(asked),
            null);
    CommandTable.insert(sql, command, asked, body, hashes);
    CommandTable.append(sql, command.id(), command.timeline().getFirst());
    return new Submission.Accepted(command);
  }

  private static Secrecy secrecy(NewCommand asked) {
    return new Secrecy(asked.secretArgs(), asked.secretBody(), asked.secretBody());
  }

  /**
   * As {@link #accept(Sql, NewCommand, String, Hashes, Instant)}, for a group: its commands are
   * added later, in portions.
   *
   * @param devices how many enrolled devices have the labels; more or fewer may by the time that
   *     their commands are added
   * @param perSecond the slowest pace at which turns to be woken come, those of the devices of
   *     older groups before
   */
  GroupSubmission accept(
      Sql sql,
      NewGroup wanted,
      int devices,
      int perSecond,
      @Nullable String body,
      Hashes hashes,
      Instant now)
      throws SQLException {
    NewCommand asked = wanted.command();
    Optional<GroupSubmission> before = before(sql, asked.idempotencyKey(), hashes);
    if (before.isPresent()) {
      return before.get();
    }
    if (devices == 0) {
      return new GroupSubmission.Empty();
    }
    GroupTable.Ahead ahead = GroupTable.ahead(sql);
    if (ahead.groups() >= Groups.MAX_OPEN) {
      return new GroupSubmission.Refused(
          "too-many-groups",
          "group commands: "
              + ahead.groups()
              + " under way (expected fewer than "
              + Groups.MAX_OPEN
              + "; wait until one has ended, or cancel some)");
    }
    // What was asked for counts: the allowance makes no deadline legal, and none illegal.
    Submission.Refused late =
        SubmissionLimits.deadlineRefusal(asked.deadline().truncatedTo(ChronoUnit.MILLIS), now)
            .orElse(null);
    if (late != null) {
      return new GroupSubmission.Refused(late.code(), late.detail());
    }
    Instant deadline = asked.deadline();
    if (wanted.deadlineAllowsForTurns()) {
      Instant latest = now.plus(SubmissionLimits.MAX_DEADLINE);
      Instant extended = deadline.plusSeconds((ahead.devices() + devices) / perSecond);
      deadline = extended.isBefore(latest) ? extended : latest;
    }
    byte[] content = asked.body();
    Group group =
        new Group(
            ids.next(now.toEpochMilli()),
            List.copyOf(wanted.labels()),
            asked.action(),
            SecretParts.shownArgs(asked),
            content == null ? 0 : content.length,
            now.truncatedTo(ChronoUnit.MILLIS),
            deadline.truncatedTo(ChronoUnit.MILLIS),
            devices,
            false,
            false,
            Map.of(),
            null,
            secrecy(asked));
    GroupTable.insert(sql, group, asked, body, hashes);
    return new GroupSubmission.Accepted(group);
  }

  private static Optional<GroupSubmission> before(Sql sql, @Nullable String key, Hashes hashes)
      throws SQLException {
    if (key == null) {
      return Optional.empty();
    }
    GroupTable.Stored first = null;
    String id = GroupTable.idByKey(sql, key).orElse(null);
    if (id != null) {
      first = GroupTable.find(sql, id).orElse(null);
    }
    if (first == null) {
      return CommandTable.idByKey(sql, key).map(GroupSubmission.Conflict::new);
    }
    boolean same = GroupTable.hashes(sql, first.id()).filter(hashes::sameAs).isPresent();
    return Optional.of(
        same
            ? new GroupSubmission.Repeated(first.group())
            : new GroupSubmission.Conflict(first.id()));
  }

  private static Optional<Submission> before(Sql sql, NewCommand asked, Hashes hashes)
      throws SQLException {
    String key = asked.idempotencyKey();
    String id = key == null ? null : CommandTable.idByKey(sql, key).orElse(null);
    Stored first = id == null ? null : CommandTable.find(sql, id).orElse(null);
    if (first == null) {
      return key == null
          ? Optional.empty()
          : GroupTable.idByKey(sql, key).map(Submission.Conflict::new);
    }
    boolean same = CommandTable.hashes(sql, first.id()).filter(hashes::sameAs).isPresent();
    return Optional.of(
        same ? new Submission.Repeated(first.command()) : new Submission.Conflict(first.id()));
  }

  private static Optional<Submission.Refused> refusal(
      Sql sql, NewCommand asked, Device device, Instant now) throws SQLException {
    DeviceId id = device.id();
    if (device.state() == Device.State.REVOKED) {
      return Optional.of(
          new Submission.Refused(
              "device-revoked",
              "device ID: " + id + " (expected a device that is not revoked; enroll it again)"));
    }
    Optional<Submission.Refused> late =
        SubmissionLimits.deadlineRefusal(asked.deadline().truncatedTo(ChronoUnit.MILLIS), now);
    if (late.isPresent()) {
      return late;
    }
    if (device.actions() != null) {
      Optional<Submission.Refused> misfit = DeclaredActions.refusal(device.actions(), asked);
      if (misfit.isPresent()) {
        return misfit;
      }
    }
    return tooMany(sql, id);
  }

  static Optional<Submission.Refused> tooMany(Sql sql, DeviceId id) throws SQLException {
    int waiting = CommandTable.countWaiting(sql, id);
    return waiting < Commands.MAX_WAITING
        ? Optional.empty()
        : Optional.of(
            new Submission.Refused(
                "too-many-commands",
                "device "
                    + id
                    + ": "
                    + waiting
                    + " commands waiting (expected fewer than "
                    + Commands.MAX_WAITING
                    + "; wait for their ends or cancel some)"));
  }
}
