package dev.beckon.e2e;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The shape of the code, as docs/ARCHITECTURE.md tells it. */
@NullMarked
final class ArchitectureTest {

  private static final String ROOT = "dev.beckon";

  /** Made from session.proto and peer.proto; not ours to shape. */
  private static final Set<String> GENERATED =
      Set.of(ROOT + ".protocol.session", ROOT + ".protocol.peer");

  private static final JavaClasses CODE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("/e2e/"))
          .importPackages(ROOT);

  /**
   * The rules of the protocol, in packages of their own or in single classes beside their edge.
   * They take the time and return what to do.
   */
  private static final DescribedPredicate<JavaClass> LOGIC =
      describe(
          "logic",
          c ->
              !GENERATED.contains(c.getPackageName())
                  && (c.getPackageName().startsWith(ROOT + ".protocol.")
                      || Set.of(
                              ROOT + ".device.directory",
                              ROOT + ".device.keepalive",
                              ROOT + ".device.wake",
                              ROOT + ".server.registrar")
                          .contains(c.getPackageName())
                      || c.getSimpleName().matches(".*(Logic|Life)|Wakes|CommandWindow")));

  @ParameterizedTest
  @CsvSource({
    "protocol, ''",
    "device,   'protocol'",
    "agent,    'protocol device'",
    "server,   'protocol'",
    "lab,      'protocol server'",
    "cli,      'protocol device agent server lab'"
  })
  void modulesDependOneWay(String module, String others) {
    List<String> seen = List.of(others.isEmpty() ? new String[0] : others.split(" "));
    String[] hidden =
        List.of("protocol", "device", "agent", "server", "lab", "cli", "e2e").stream()
            .filter(other -> !other.equals(module) && !seen.contains(other))
            .map(ArchitectureTest::packagesOf)
            .toArray(String[]::new);

    noClasses()
        .that()
        .resideInAPackage(packagesOf(module))
        .should()
        .dependOnClassesThat(resideInAnyPackage(hidden))
        .check(CODE);
  }

  private static String packagesOf(String module) {
    return ROOT + "." + module + "..";
  }

  @Test
  void logicTouchesNeitherSocketsNorThreadsNorSqlNorLogs() {
    noClasses()
        .that(LOGIC)
        .should()
        .dependOnClassesThat(
            describe(
                "are the world outside",
                c ->
                    c.getName().matches("java\\.net\\.(Datagram|Server)?Socket")
                        || c.getPackageName().startsWith("java.nio.channels")
                        || c.getPackageName().startsWith("java.nio.file")
                        || c.getPackageName().startsWith("java.sql")
                        || c.getPackageName().startsWith("javax.net")
                        || c.getPackageName().startsWith("io.netty")
                            // Maps with primitive keys: plain data structures.
                            && !c.getPackageName().equals("io.netty.util.collection")
                        || c.getPackageName().startsWith("org.slf4j")
                        || c.getName().matches("java\\.util\\.concurrent\\..*(Executor|Thread).*")
                        || c.getName().matches("java\\.lang\\.Thread(\\$.*)?")))
        .check(CODE);
  }

  @Test
  void logicReadsNoClockAndDrawsNoLots() {
    noClasses().that(LOGIC).should(readAClock()).check(CODE);
    noClasses()
        .that(LOGIC)
        .should()
        .dependOnClassesThat()
        .haveNameMatching("java\\.util\\.concurrent\\.ThreadLocalRandom")
        .check(CODE);
  }

  /** The composition of each program chooses the clocks; everybody else is given one. */
  @Test
  void clocksAreReadOnlyWhereProgramsArePutTogether() {
    Set<String> edges =
        Set.of(
            ROOT + ".server.Server",
            ROOT + ".device.Device",
            ROOT + ".device.Device$Builder",
            ROOT + ".device.Enrollment");

    noClasses()
        .that()
        .resideInAnyPackage(packagesOf("server"), packagesOf("device"), packagesOf("protocol"))
        .and(describe("are not the composition", c -> !edges.contains(c.getName())))
        .should(readAClock())
        .check(CODE);
  }

  private static ArchCondition<JavaClass> readAClock() {
    return new ArchCondition<>("read a clock") {
      private final Map<String, List<String>> clocks =
          Map.of(
              "java.lang.System", List.of("nanoTime", "currentTimeMillis"),
              "java.time.Instant", List.of("now"),
              "java.time.InstantSource", List.of("system"),
              "java.time.Clock", List.of("system", "systemUTC", "systemDefaultZone"));

      @Override
      public void check(JavaClass item, ConditionEvents events) {
        for (JavaAccess<?> access : item.getAccessesFromSelf()) {
          String owner = access.getTargetOwner().getName();
          boolean clock =
              access.getTarget() instanceof CodeUnitAccessTarget
                  && clocks.getOrDefault(owner, List.of()).contains(access.getTarget().getName());
          if (clock) {
            events.add(SimpleConditionEvent.satisfied(item, access.getDescription()));
          }
        }
      }
    };
  }

  @Test
  void packagesFormNoCycles() {
    slices().matching(ROOT + ".(**)").should().beFreeOfCycles().check(CODE);
  }

  @Test
  void namesSayWhatAThingIs() {
    classes()
        .that()
        .resideOutsideOfPackages(GENERATED.toArray(new String[0]))
        .should()
        .haveSimpleNameNotEndingWith("Impl")
        .andShould()
        .haveSimpleNameNotEndingWith("Data")
        .andShould()
        .haveSimpleNameNotEndingWith("Info")
        .andShould()
        .haveNameNotMatching(".*(Manager|Helper|Util)s?(\\$.*)?")
        .check(CODE);
  }

  @Test
  void everyPackageIsNullMarked() {
    Set<String> bare = new TreeSet<>();
    for (JavaClass type : CODE) {
      JavaPackage home = type.getPackage();
      if (!GENERATED.contains(home.getName()) && !home.isAnnotatedWith(NullMarked.class)) {
        bare.add(home.getName());
      }
    }

    assertThat(bare).as("packages without a package-info.java that says @NullMarked").isEmpty();
  }

  @Test
  void seesTheCodeItJudges() {
    assertThat(CODE.stream().filter(LOGIC).map(JavaClass::getSimpleName))
        .contains(
            "KeepaliveLogic", "WakeLogic", "SessionLogic", "CommandLife", "Wakes", "Registrar");
  }
}
