package dev.beckon.server.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.State;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One wish for many devices, on a real database. */
class GroupsTest {
  private static final int MANY = 2 * Groups.PORTION + 50;

  @TempDir private Path folder;
  private Fleet fleet;
  private Groups groups;

  @BeforeEach
  void open() {
    fleet = new Fleet(folder);
    groups = fleet.commands.groups();
  }

  @AfterEach
  void close() {
    fleet.close();
  }

  private void restart() {
    fleet.close();
    fleet = new Fleet(folder, fleet.now.get());
    groups = fleet.commands.groups();
  }

  static DeviceId device(int n) {
    return new DeviceId(String.format(Locale.ROOT, "d%05d", n));
  }

  static void enroll(Fleet fleet, int devices, String... labels) {
    fleet
        .database
        .write(
            sql -> {
              for (int i = 0; i < devices; i++) {
                sql.update(
                    "INSERT OR REPLACE INTO devices (id, generation, state, added_at) VALUES (?, 1,"
                        + " 'ENROLLED', 0)",
                    device(i).value());
              }
              return true;
            })
        .join();
    for (int i = 0; i < devices; i++) {
      fleet.identity.devices().label(device(i), List.of(labels)).join();
    }
  }

  private NewGroup wanted(@Nullable String key, byte @Nullable [] body, String... labels) {
    return new NewGroup(
        new TreeSet<>(Set.of(labels)),
        new NewCommand(
            new DeviceId("each"),
            "echo",
            Map.of("text", "hello"),
            body,
            fleet.now.get().plus(Fleet.DEADLINE),
            key),
        true);
  }

  private Group accepted(NewGroup wanted) {
    return ((GroupSubmission.Accepted) groups.submit(wanted).join()).group();
  }

  private void workToTheEnd() {
    while (groups.work()) {
      // once for each portion
    }
  }

  private Group find(Group group) {
    return groups.find(group.id()).orElseThrow();
  }

  private List<Command> commands(Group group) {
    return fleet.commands.list(new CommandQuery(null, null, group.id(), null, null, 1000));
  }

  private Command command(Group group, int n) {
    return commands(group).stream()
        .filter(each -> each.deviceId().equals(device(n)))
        .findFirst()
        .orElseThrow();
  }

  private void report(Command command, State state) {
    fleet
        .commands
        .update(command.deviceId(), Fleet.update(command.id(), state).build(), null)
        .join();
  }

  @Test
  void givesEachDeviceWithAllTheLabelsACommandOfItsOwn() {
    enroll(fleet, 3, "hall", "north");
    fleet.identity.devices().label(device(1), List.of("hall")).join();

    Group group = accepted(wanted(null, null, "north", "hall"));
    assertThat(group.devices()).isEqualTo(2);
    assertThat(group.complete()).isFalse();
    workToTheEnd();

    assertThat(commands(group)).extracting(Command::deviceId).containsOnly(device(0), device(2));
    Command one = command(group, 0);
    assertThat(one.groupId()).isEqualTo(group.id());
    assertThat(one.args()).containsEntry("text", "hello");
    assertThat(one.timeline()).extracting(TimelineEntry::event).containsExactly("queued");
    assertThat(one.id()).isGreaterThan(group.id());
    Group complete = find(group);
    assertThat(complete.complete()).isTrue();
    assertThat(complete.devices()).isEqualTo(2);
    assertThat(complete.counts()).containsExactly(Map.entry(CommandState.QUEUED, 2));
    assertThat(complete.endedAt()).isNull();
  }

  @Test
  void leavesOutDevicesThatAreRevokedOrWereNeverEnrolled() {
    enroll(fleet, 3, "hall");
    fleet.identity.devices().revoke(device(0)).join();
    fleet.identity.devices().add(new DeviceId("new"), Duration.ofHours(1)).join();
    fleet.identity.devices().label(new DeviceId("new"), List.of("hall")).join();

    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();

    assertThat(commands(group)).extracting(Command::deviceId).containsOnly(device(1), device(2));
  }

  @Test
  void refusesAGroupWithoutDevices() {
    enroll(fleet, 2, "hall");

    assertThat(groups.submit(wanted(null, null, "hall", "moon")).join())
        .isInstanceOf(GroupSubmission.Empty.class);
  }

  @Test
  void addsManyDevicesInPortions() {
    enroll(fleet, MANY, "hall");
    Group group = accepted(wanted(null, null, "hall"));

    int portions = 0;
    while (groups.work()) {
      portions++;
      assertThat(find(group).count(CommandState.QUEUED))
          .isLessThanOrEqualTo(portions * Groups.PORTION);
    }

    assertThat(portions).isEqualTo(3);
    assertThat(find(group).count(CommandState.QUEUED)).isEqualTo(MANY);
    assertThat(fleet.told)
        .as("single listeners are not flooded")
        .noneMatch(t -> t.startsWith("acc"));
  }

  @Test
  void goesOnAfterARestartInTheMidstOfAdding() {
    enroll(fleet, MANY, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    groups.work();
    restart();
    assertThat(find(group).complete()).isFalse();

    workToTheEnd();

    assertThat(find(group).count(CommandState.QUEUED)).isEqualTo(MANY);
    assertThat(commands(group).stream().map(Command::deviceId).distinct()).hasSize(MANY);
  }

  @Test
  void endsWithItsLastCommand() {
    enroll(fleet, 2, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();
    report(command(group, 0), State.SUCCEEDED);
    assertThat(find(group).endedAt()).isNull();
    fleet.pass(Duration.ofSeconds(5));
    report(command(group, 1), State.FAILED);

    Group ended = find(group);
    assertThat(ended.endedAt()).isEqualTo(fleet.now.get());
    assertThat(ended.counts())
        .containsExactly(Map.entry(CommandState.SUCCEEDED, 1), Map.entry(CommandState.FAILED, 1));
  }

  @Test
  void rejectsAtOnceWhatADeviceDeclaredThatItCannotDo() {
    enroll(fleet, 2, "hall");
    Actions actions = Actions.newBuilder().addActions(Action.newBuilder().setName("print")).build();
    fleet.identity.devices().declareActions(device(0), actions, new byte[] {1}).join();

    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();

    Command refused = command(group, 0);
    assertThat(refused.state()).isEqualTo(CommandState.REJECTED);
    assertThat(refused.reason()).isEqualTo("action: echo (expected one of print)");
    assertThat(fleet.events(refused.id())).containsExactly("queued", "finished");
    assertThat(command(group, 1).state()).isEqualTo(CommandState.QUEUED);
    assertThat(find(group).endedAt()).isNull();
  }

  @Test
  void judgesEachDeviceByWhatItDeclaredItselfWhateverHashItClaims() {
    enroll(fleet, 2, "hall");
    byte[] sameHash = new byte[32];
    declare(device(0), "print", sameHash);
    declare(device(1), "echo", sameHash);

    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();

    assertThat(command(group, 0).state()).isEqualTo(CommandState.REJECTED);
    assertThat(command(group, 1).state()).isEqualTo(CommandState.QUEUED);
  }

  private void declare(DeviceId id, String action, byte[] hash) {
    Actions actions =
        Actions.newBuilder()
            .addActions(Action.newBuilder().setName(action).setAcceptsOtherArgs(true))
            .build();
    fleet.identity.devices().declareActions(id, actions, hash).join();
  }

  private NewCommand echo(int device) {
    return new NewCommand(
        device(device), "echo", Map.of(), null, fleet.now.get().plus(Fleet.DEADLINE), null);
  }

  private List<@Nullable String> groupsInOrder(int device) {
    return fleet.commands.handOver(device(device), Set.of(), 16).join().commands().stream()
        .<@Nullable String>map(Command::groupId)
        .toList();
  }

  @Test
  void aSingleCommandComesBehindTheGroupsThatWereAcceptedBeforeIt() {
    enroll(fleet, MANY, "hall", "north");
    Group first = accepted(wanted(null, null, "hall"));
    Group second = accepted(wanted(null, null, "hall", "north"));
    groups.work();
    fleet.accepted(echo(MANY - 1));
    fleet.accepted(echo(MANY - 1));
    fleet.accepted(echo(0));

    assertThat(groupsInOrder(MANY - 1)).containsExactly(first.id(), second.id(), null, null);
    restart();
    workToTheEnd();

    for (Group group : List.of(first, second)) {
      assertThat(find(group).devices()).isEqualTo(MANY);
      assertThat(find(group).count(CommandState.QUEUED)).isEqualTo(MANY);
      assertThat(commands(group).stream().map(Command::deviceId).distinct()).hasSize(MANY);
    }
    assertThat(groupsInOrder(0)).containsExactly(first.id(), second.id(), null);
  }

  @Test
  void aSingleCommandBringsNoGroupThatItsDeviceIsNotIn() {
    enroll(fleet, MANY, "hall");
    fleet.identity.devices().label(device(MANY - 1), List.of("north")).join();
    accepted(wanted(null, null, "hall"));
    Group cancelled = accepted(wanted(null, null, "north"));
    groups.cancel(cancelled.id()).join();

    fleet.accepted(echo(MANY - 1));
    assertThat(fleet.submit(new NewCommand(device(5), "echo", Map.of(), null, Instant.EPOCH, null)))
        .extracting("code")
        .isEqualTo("deadline-passed");

    assertThat(groupsInOrder(MANY - 1)).containsOnlyNulls().hasSize(1);
    assertThat(groupsInOrder(5)).as("what was refused brings nothing").isEmpty();
  }

  @Test
  void aLabelOfFewDevicesIsFoundAmongManyInOnePortion() {
    enroll(fleet, MANY, "all");
    fleet.identity.devices().label(device(MANY - 1), List.of("all", "north")).join();
    Group group = accepted(wanted(null, null, "all", "north"));

    groups.work();

    assertThat(find(group).complete()).isTrue();
    assertThat(commands(group)).extracting(Command::deviceId).containsExactly(device(MANY - 1));
  }

  @Test
  void aDeviceThatLosesItsLabelBeforeItsPortionIsLeftOut() {
    enroll(fleet, 3, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    fleet.identity.devices().label(device(1), List.of()).join();

    workToTheEnd();

    assertThat(commands(group)).extracting(Command::deviceId).containsOnly(device(0), device(2));
    assertThat(find(group).devices()).isEqualTo(2);
  }

  @Test
  void theLatestDeadlineIsThatOfASingleCommandAlsoWithItsAllowance() {
    enroll(fleet, MANY, "hall");
    Instant latest = fleet.now.get().plus(Commands.MAX_DEADLINE);

    assertThat(accepted(until(latest)).deadline()).isEqualTo(latest);
    assertThat(groups.submit(until(latest.plusSeconds(1))).join())
        .extracting("code")
        .isEqualTo("deadline-too-far");
  }

  @Test
  void theAllowanceMakesNoPastDeadlineGood() {
    enroll(fleet, MANY, "hall");

    assertThat(groups.submit(until(fleet.now.get().minusSeconds(1))).join())
        .extracting("code")
        .isEqualTo("deadline-passed");
  }

  @Test
  void anEndThatCouldNotBeToldIsToldLater() {
    List<Group> told = new CopyOnWriteArrayList<>();
    fleet.commands.addListener(
        new CommandListener() {
          @Override
          public void groupChanged(Group group) {
            told.add(group);
          }
        });
    enroll(fleet, 1, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();
    report(command(group, 0), State.SUCCEEDED);
    rename("command_groups", "hidden"); // what is read fails, as on a disk that is full
    groups.tellChanges();
    rename("hidden", "command_groups");
    assertThat(told).hasSize(1);

    groups.tellChanges();
    fleet.settle();

    assertThat(told.getLast().endedAt()).isNotNull();
  }

  private void rename(String table, String to) {
    fleet.database.write(sql -> sql.update("ALTER TABLE " + table + " RENAME TO " + to)).join();
  }

  private static NewGroup until(Instant deadline) {
    return new NewGroup(
        new TreeSet<>(Set.of("hall")),
        new NewCommand(new DeviceId("each"), "echo", Map.of(), null, deadline, null),
        true);
  }

  @Test
  void theDeadlineAllowsForTheLastDevicesTurn() {
    enroll(fleet, MANY, "hall");

    Group group = accepted(wanted(null, null, "hall"));

    assertThat(group.deadline()).isEqualTo(Fleet.START.plus(Fleet.DEADLINE).plusSeconds(MANY / 50));
  }

  @Test
  void theDeadlineAllowsForTheTurnsOfOlderGroupsToo() {
    enroll(fleet, MANY, "hall");
    accepted(wanted(null, null, "hall"));
    Group cancelled = accepted(wanted(null, null, "hall"));
    groups.cancel(cancelled.id()).join();

    Group second = accepted(wanted(null, null, "hall"));

    assertThat(second.deadline())
        .isEqualTo(Fleet.START.plus(Fleet.DEADLINE).plusSeconds(2 * MANY / 50));
  }

  @Test
  void refusesMoreGroupsThanCanBeUnderWayAtOnce() {
    enroll(fleet, 1, "hall");
    Group first = accepted(wanted(null, null, "hall"));
    for (int i = 1; i < Groups.MAX_OPEN; i++) {
      accepted(wanted(null, null, "hall"));
    }

    assertThat(groups.submit(wanted(null, null, "hall")).join())
        .isEqualTo(
            new GroupSubmission.Refused(
                "too-many-groups",
                "group commands: 100 under way (expected fewer than 100; wait until one has ended,"
                    + " or cancel some)"));
    groups.cancel(first.id()).join();
    workToTheEnd();
    assertThat(accepted(wanted(null, null, "hall")).devices()).isEqualTo(1);
  }

  @Test
  void addsOnePortionAtATimeAndTheOldestGroupFirst() {
    enroll(fleet, MANY, "hall");
    Group first = accepted(wanted(null, null, "hall"));
    Group second = accepted(wanted(null, null, "hall"));

    for (int portion = 1; portion <= 3; portion++) {
      assertThat(groups.work()).isTrue();
      assertThat(find(second).count(CommandState.QUEUED)).isZero();
    }

    assertThat(find(first).complete()).isTrue();
    assertThat(find(first).count(CommandState.QUEUED)).isEqualTo(MANY);
    groups.work();
    assertThat(find(second).count(CommandState.QUEUED)).isEqualTo(Groups.PORTION);
  }

  @Test
  void aGroupThatCannotGoOnDoesNotHoldUpTheNext() {
    enroll(fleet, 2, "hall");
    Group first = accepted(wanted(null, null, "hall"));
    Group second = accepted(wanted(null, null, "hall"));
    refuseCommandsOf(first);

    assertThat(groups.work()).isTrue();
    assertThat(find(second).complete()).isTrue();
    assertThat(find(first).complete()).isFalse();
    assertThatThrownBy(groups::work)
        .as("nobody has anything left that can go on")
        .isInstanceOf(CompletionException.class)
        .hasMessageContaining("refused for a test");
    fleet.database.write(sql -> sql.update("DROP TRIGGER refusing")).join();
    workToTheEnd();
    assertThat(find(first).complete()).isTrue();
  }

  private void refuseCommandsOf(Group group) {
    fleet
        .database
        .write(
            sql ->
                sql.update(
                    "CREATE TRIGGER refusing BEFORE INSERT ON commands WHEN new.group_id = '"
                        + group.id()
                        + "' BEGIN SELECT RAISE(ABORT, 'refused for a test'); END"))
        .join();
  }

  @Test
  void expiresWhereNobodyCame() {
    enroll(fleet, 2, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();
    fleet.pass(Fleet.DEADLINE.plusSeconds(1));
    fleet.commands.onTime(fleet.now.get());

    assertThat(find(group).count(CommandState.EXPIRED)).isEqualTo(2);
    assertThat(find(group).endedAt()).isNotNull();
  }

  @Test
  void aSingleCommandThatIsDueDoesNotWaitForAGroupThatIs() {
    enroll(fleet, MANY, "hall");
    Group group = accepted(until(fleet.now.get().plusSeconds(60)));
    workToTheEnd();
    fleet.pass(Duration.ofSeconds(30));
    Command single =
        fleet.accepted(
            new NewCommand(
                device(0), "echo", Map.of(), null, fleet.now.get().plusSeconds(60), null));
    fleet.pass(Duration.ofSeconds(90));
    long now = fleet.now.get().toEpochMilli();

    assertThat(fleet.commands.onTime(fleet.now.get())).as("more is due").isEqualTo(now);

    assertThat(fleet.state(single.id())).isEqualTo(CommandState.EXPIRED);
    assertThat(find(group).endedAt()).isNull();
    int calls = 1;
    while (fleet.commands.onTime(fleet.now.get()) <= now) {
      calls++;
    }
    assertThat(calls).isEqualTo(MANY / Commands.MAX_DUE);
    assertThat(find(group).count(CommandState.EXPIRED)).isEqualTo(group.devices());
    assertThat(find(group).endedAt()).isNotNull();
  }

  @Test
  void whatIsToldOfAnEndIsWhatIsKept() {
    List<Command> told = new CopyOnWriteArrayList<>();
    fleet.commands.addListener(
        new CommandListener() {
          @Override
          public void changed(Command command) {
            told.add(command);
          }
        });
    enroll(fleet, 2, "hall");
    Group group = accepted(wanted(null, new byte[10], "hall"));
    workToTheEnd();
    fleet.now.updateAndGet(now -> now.plus(Fleet.DEADLINE).plusNanos(1_234_567));
    fleet.commands.onTime(fleet.now.get());
    fleet.settle();

    assertThat(told).hasSize(2).containsAll(commands(group));
  }

  @Test
  void returnsTheFirstGroupForTheSameKeyAndRefusesItForOtherContent() {
    enroll(fleet, 2, "hall", "north");
    Group group = accepted(wanted("k", null, "hall"));

    assertThat(groups.submit(wanted("k", null, "hall")).join())
        .isInstanceOfSatisfying(
            GroupSubmission.Repeated.class,
            again -> assertThat(again.group().id()).isEqualTo(group.id()));
    assertThat(groups.submit(wanted("k", null, "north")).join())
        .isEqualTo(new GroupSubmission.Conflict(group.id()));
    NewCommand single =
        new NewCommand(device(0), "echo", Map.of(), null, fleet.now.get().plusSeconds(60), "k");
    assertThat(fleet.submit(single)).isEqualTo(new Submission.Conflict(group.id()));
  }

  @Test
  void aKeyOfASingleCommandIsNoKeyForAGroup() {
    enroll(fleet, 2, "hall");
    Command single =
        fleet.accepted(
            new NewCommand(
                device(0), "echo", Map.of(), null, fleet.now.get().plusSeconds(60), "k"));

    assertThat(groups.submit(wanted("k", null, "hall")).join())
        .isEqualTo(new GroupSubmission.Conflict(single.id()));
  }

  @Test
  void keepsOneBodyForAll() throws Exception {
    enroll(fleet, 3, "hall");
    Group group = accepted(wanted(null, new byte[1234], "hall"));
    workToTheEnd();

    try (Stream<Path> files = Files.list(folder.resolve("bodies"))) {
      assertThat(files).hasSize(1);
    }
    for (int i = 0; i < 3; i++) {
      Command command = command(group, i);
      assertThat(command.bodyBytes()).isEqualTo(1234);
      report(command, State.SUCCEEDED);
      try (InputStream body = fleet.commands.body(command.id()).orElseThrow()) {
        assertThat(body.readAllBytes()).hasSize(1234);
      }
    }
    restart();
    assertThat(fleet.commands.body(commands(group).getFirst().id())).isPresent();
  }

  @Test
  void keepsSecretsUntilTheLastCommandHasEnded() {
    enroll(fleet, 2, "hall");
    NewCommand secret =
        new NewCommand(
            new DeviceId("each"),
            "unlock",
            Map.of("pin", "hunter2"),
            null,
            fleet.now.get().plusSeconds(60),
            "k",
            Set.of("pin"),
            false);
    Group group = accepted(new NewGroup(new TreeSet<>(Set.of("hall")), secret, true));
    workToTheEnd();

    assertThat(group.args()).containsEntry("pin", "(secret)");
    assertThat(groups.reveal(group.id()).orElseThrow().args()).containsEntry("pin", "hunter2");
    HandOver handOver = fleet.commands.handOver(device(0), Set.of(), 16).join();
    assertThat(handOver.commands().getFirst().args()).containsEntry("pin", "hunter2");
    assertThat(handOver.commands().getFirst().secrecy().args()).containsExactly("pin");
    report(command(group, 0), State.SUCCEEDED);
    assertThat(command(group, 1).args()).containsEntry("pin", "(secret)");
    assertThat(groups.reveal(group.id()).orElseThrow().args()).containsEntry("pin", "hunter2");
    report(command(group, 1), State.SUCCEEDED);

    assertThat(groups.reveal(group.id()).orElseThrow().args()).containsEntry("pin", "(secret)");
    Long left =
        fleet.database.read(
            sql ->
                sql.first(
                        "SELECT count(*) FROM command_groups WHERE secrets IS NOT NULL OR"
                            + " secrets_hash IS NOT NULL",
                        row -> row.getLong(1))
                    .orElseThrow());
    assertThat(left).isZero();
  }

  @Test
  void cancelsAllThatNobodyHasAndAsksTheOthers() {
    enroll(fleet, MANY, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();
    fleet.commands.handOver(device(7), Set.of(), 16).join();

    assertThat(groups.cancel(group.id()).join().orElseThrow().cancelAsked()).isTrue();
    assertThat(fleet.commands.handOver(device(8), Set.of(), 16).join().commands())
        .as("from now on none is sent")
        .isEmpty();
    assertThat(groups.open()).isEmpty();
    assertThat(fleet.commands.waiting(device(8))).as("nor is a device woken for it").isEmpty();
    workToTheEnd();

    Group after = find(group);
    assertThat(after.count(CommandState.CANCELLED)).isEqualTo(MANY - 1);
    assertThat(after.count(CommandState.QUEUED)).isEqualTo(1);
    assertThat(fleet.told).contains("cancelAsked " + command(group, 7).id());
    report(command(group, 7), State.CANCELLED);
    assertThat(find(group).endedAt()).isNotNull();
  }

  @Test
  void cancellingGoesOnAfterARestartAndEndsTheAdding() {
    enroll(fleet, MANY, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    groups.work();
    groups.cancel(group.id()).join();
    restart();

    workToTheEnd();

    Group after = find(group);
    assertThat(after.count(CommandState.CANCELLED)).isEqualTo(Groups.PORTION);
    assertThat(after.devices()).as("as counted: most got none").isEqualTo(MANY);
    assertThat(after.endedAt()).isNotNull();
  }

  @Test
  void waitsForItsTurnAtAStartWhereASingleCommandDoesNot() {
    enroll(fleet, 2, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();
    fleet.accepted(
        new NewCommand(device(1), "echo", Map.of(), null, fleet.now.get().plusSeconds(9), null));

    assertThat(fleet.commands.waiting()).containsOnlyKeys(device(1));
    assertThat(fleet.commands.waiting(device(0)).orElseThrow().single()).isFalse();
    assertThat(fleet.commands.waiting(device(1)).orElseThrow().single()).isTrue();
    assertThat(groups.open()).containsExactly(Map.entry(group.id(), true));
    assertThat(groups.waiting(group.id(), "", 1))
        .extracting(Groups.Waiting::deviceId)
        .containsExactly(device(0));
    fleet.commands.handOver(device(0), Set.of(), 16).join();
    assertThat(groups.waiting(group.id(), "", 10)).as("its session may break").hasSize(2);
    report(command(group, 0), State.DELIVERED);
    assertThat(groups.waiting(group.id(), "", 10))
        .extracting(Groups.Waiting::deviceId)
        .containsExactly(device(1));
  }

  @Test
  void theListOfCommandsIsNotBuriedUnderAGroup() {
    enroll(fleet, 3, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();
    Command single = fleet.accepted(fleet.echo());

    assertThat(fleet.commands.list(new CommandQuery(null, null, null, null, 10)))
        .extracting(Command::id)
        .containsExactly(single.id());
    assertThat(fleet.commands.list(new CommandQuery(device(0), null, null, null, 10))).hasSize(1);
    assertThat(groups.newest(null, 10)).extracting(Group::id).containsExactly(group.id());
    assertThat(groups.newest(group.id(), 10)).isEmpty();
  }

  @Test
  void isDeletedWithItsCommandsOnceItWasKeptLongEnough() throws Exception {
    enroll(fleet, MANY, "hall");
    Group group = accepted(wanted(null, new byte[10], "hall"));
    workToTheEnd();
    groups.cancel(group.id()).join();
    workToTheEnd();
    fleet.pass(Commands.DEFAULT_KEEP.minusSeconds(1));
    fleet.commands.onTime(fleet.now.get());
    assertThat(find(group).endedAt()).isNotNull();

    fleet.pass(Duration.ofSeconds(2));
    for (int i = 0; i < 10; i++) {
      fleet.commands.onTime(fleet.now.get());
    }

    assertThat(groups.find(group.id())).isEmpty();
    assertThat(commands(group)).isEmpty();
    try (Stream<Path> files = Files.list(folder.resolve("bodies"))) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void tellsHowFarItIsWithoutTellingOfEveryCommand() {
    List<Group> told = new CopyOnWriteArrayList<>();
    fleet.commands.addListener(
        new CommandListener() {
          @Override
          public void groupChanged(Group group) {
            told.add(group);
          }
        });
    enroll(fleet, 3, "hall");
    Group group = accepted(wanted(null, null, "hall"));
    workToTheEnd();
    for (int i = 0; i < 3; i++) {
      report(command(group, i), State.SUCCEEDED);
    }
    fleet.commands.onTime(fleet.now.get());
    fleet.settle();

    assertThat(told).hasSize(2);
    assertThat(told.getLast().count(CommandState.SUCCEEDED)).isEqualTo(3);
    assertThat(told.getLast().endedAt()).isNotNull();
  }
}
