package dev.beckon.cli;

import static java.nio.file.attribute.PosixFilePermissions.fromString;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the launcher in a clone of a few files, with a JDK and a Maven that are scripts. */
class LauncherTest {

  private static final Path LAUNCHER = Path.of("..", "beckon").toAbsolutePath().normalize();
  private static final String LIB = "cli/target/dist-build/lib";

  /** What the build leaves behind, in short. */
  private static final String BUILD =
      "mkdir -p agent/target/dist-build "
          + LIB
          + " && echo jar >agent/target/dist-build/beckon-agent.jar && echo jar >"
          + LIB
          + "/beckon-cli-1.jar";

  @TempDir private Path folder;
  private Path clone;
  private Path tools;

  @BeforeEach
  void makeClone() throws IOException {
    clone = Files.createDirectories(folder.resolve("a clone"));
    tools = Files.createDirectories(folder.resolve("tools"));
    Files.copy(LAUNCHER, clone.resolve("beckon"));
    Files.writeString(clone.resolve("pom.xml"), "<project/>");
    Files.writeString(clone.resolve("LICENSE"), "licence");
    Files.createDirectories(clone.resolve("cli/src/main"));
    Files.writeString(clone.resolve("cli/src/main/A.java"), "A");
    Files.writeString(clone.resolve("cli/src/main/B.java"), "B");
    jdk("99");
    maven("echo built >>../builds && " + BUILD);
  }

  private Path jdk(String version) throws IOException {
    Path home = Files.createDirectories(folder.resolve("jdk-" + version));
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + ".0.1\"\n");
    script(home.resolve("bin/java"), "echo \"java " + version + " $*\"");
    script(home.resolve("bin/javac"), "");
    return home;
  }

  private void maven(String work) throws IOException {
    script(tools.resolve("mvn"), work);
  }

  private static void script(Path file, String work) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + work + "\n");
    Files.setPosixFilePermissions(file, fromString("rwxr-xr-x"));
  }

  private Process launch(Path launcher, String javaHome, String... args) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(launcher.toString());
    builder.command().addAll(List.of(args));
    builder.directory(folder.toFile());
    builder.environment().put("JAVA_HOME", javaHome);
    builder.environment().merge("PATH", tools.toString(), (path, own) -> own + ":" + path);
    builder.environment().remove("BECKON_NO_BUILD");
    builder.environment().remove("BECKON_JAVA_OPTS");
    return builder.start();
  }

  private CommandRun finish(Process process) throws IOException, InterruptedException {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new CommandRun(process.exitValue(), out, err);
  }

  private CommandRun run(String... args) throws IOException, InterruptedException {
    return finish(launch(clone.resolve("beckon"), folder.resolve("jdk-99").toString(), args));
  }

  private long builds() throws IOException {
    return Files.readAllLines(folder.resolve("builds")).size();
  }

  @Test
  void buildsOnceAndThenOnlyStarts() throws Exception {
    CommandRun first = run("--help");
    CommandRun second = run("--help");

    assertThat(first.err().lines()).as(first.err()).singleElement().asString().contains("building");
    assertThat(first.out())
        .contains("java 99")
        .endsWith("target/dist/lib/beckon-cli-1.jar --help\n");
    assertThat(second.err()).isEmpty();
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void buildsAgainWhenASourceIsNewer() throws Exception {
    run("--help");
    Path source = clone.resolve("cli/src/main/A.java");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));

    run("--help");

    assertThat(builds()).isEqualTo(2);
  }

  @Test
  void buildsAgainWhenASourceIsGone() throws Exception {
    run("--help");
    // A file system's clock may be too coarse to date the deletion after the build.
    FileTime built = FileTime.from(Instant.now().minusSeconds(60));
    Files.setLastModifiedTime(clone.resolve("target/dist/built"), built);
    FileTime older = FileTime.from(Instant.now().minusSeconds(120));
    try (var files = Files.walk(clone)) {
      for (Path file : files.filter(f -> !f.startsWith(clone.resolve("target"))).toList()) {
        Files.setLastModifiedTime(file, older);
      }
    }
    run("--help");
    assertThat(builds()).as("builds before the deletion").isEqualTo(1);

    Files.delete(clone.resolve("cli/src/main/B.java"));
    run("--help");

    assertThat(builds()).isEqualTo(2);
  }

  @Test
  void twoLaunchesAtOnceBuildOnce() throws Exception {
    // Both have found the sources newer before either is done: Maven waits for the second launch.
    maven("echo built >>../builds; while [ ! -e ../second ]; do :; done; " + BUILD);
    String home = folder.resolve("jdk-99").toString();
    List<Process> launches =
        IntStream.range(0, 2)
            .mapToObj(
                i -> {
                  try {
                    return launch(clone.resolve("beckon"), home, "--help");
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                })
            .toList();
    Files.createFile(folder.resolve("second"));

    for (Process launch : launches) {
      assertThat(finish(launch).exitCode()).isZero();
    }
    assertThat(builds()).isEqualTo(1);
  }

  @Test
  void showsWhyABuildFailedAndEndsWithOne() throws Exception {
    maven("echo '[ERROR] A.java:[1,1] ; expected'; echo '[INFO] noise'; exit 1");

    CommandRun run = run("--help");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err())
        .contains("[ERROR] A.java:[1,1] ; expected")
        .contains("beckon: the build failed")
        .doesNotContain("noise");
  }

  @Test
  void passesOverAJdkThatIsTooOld() throws Exception {
    run("--help");
    String old = jdk("11").toString();

    CommandRun run = finish(launch(clone.resolve("beckon"), old, "--version"));

    assertThat(run.out()).doesNotContain("java 11");
  }

  @Test
  void worksThroughASymbolicLinkAndWithArgumentsThatHaveBlanks() throws Exception {
    run("--help");
    Path link = Files.createSymbolicLink(folder.resolve("bk"), clone.resolve("beckon"));

    CommandRun run =
        finish(launch(link, folder.resolve("jdk-99").toString(), "send", "x", "text=a b *"));

    assertThat(run.out()).endsWith("beckon-cli-1.jar send x text=a b *\n");
  }

  @Test
  void aCopyOfTheBuiltFolderRunsWithoutSourcesAndMaven() throws Exception {
    run("--help");
    Path copy = folder.resolve("device");
    Files.move(clone.resolve("target/dist"), copy);

    CommandRun run =
        finish(launch(copy.resolve("beckon"), folder.resolve("jdk-99").toString(), "agent"));

    assertThat(run.out()).endsWith(copy + "/beckon-agent.jar agent\n");
    assertThat(run.err()).isEmpty();
  }
}
