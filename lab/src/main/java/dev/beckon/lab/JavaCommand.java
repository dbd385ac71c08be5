package dev.beckon.lab;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Words that start a class of this JVM's own class path in a JVM of its own, in any host. */
public final class JavaCommand {

  private JavaCommand() {}

  /** The command for a main class and its arguments. */
  public static List<String> of(String mainClass, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Many small programs on few cores: start quickly rather than run fast for long.
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx192m"));
    // Its files are named by process ID, and every lab counts processes from 1.
    command.add("-XX:-UsePerfData");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", classPath(), mainClass));
    command.addAll(arguments);
    return command;
  }

  /** As {@link #of(String, List)}. */
  public static List<String> of(String mainClass, String... arguments) {
    return of(mainClass, List.of(arguments));
  }

  /** Absolute, because a program in the lab starts in the root folder. */
  private static String classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
