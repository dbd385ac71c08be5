package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.device.Action;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** docs/ACTIONS.md: its configurations can be read, and its commands fit them. */
class ActionsPageTest {
  private static final Path PAGE = Path.of("..", "docs", "ACTIONS.md");
  private static final Pattern BLOCK = Pattern.compile("```(yaml|sh)\n(.*?)```", Pattern.DOTALL);
  private static final Pattern SEND = Pattern.compile("beckon send kitchen (\\S+) (.*)");
  private static final Pattern ARGUMENT = Pattern.compile("(\\S+?)=(\"[^\"]*\"|\\S+)");

  @TempDir private Path folder;

  @TestFactory
  List<DynamicTest> everyConfigurationIsOneAndItsCommandsFit() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (String section : Files.readString(PAGE).split("\n## ")) {
      List<String> yaml = blocks(section, "yaml");
      List<String> commands =
          blocks(section, "sh").stream().flatMap(block -> block.lines()).toList();
      for (String config : yaml.isEmpty() && !commands.isEmpty() ? List.of("") : yaml) {
        String name = section.lines().findFirst().orElse("") + ": " + commands;
        tests.add(DynamicTest.dynamicTest(name, () -> fit(config, commands)));
      }
    }
    assertThat(tests).hasSizeGreaterThanOrEqualTo(8);
    return tests;
  }

  @Test
  void explainsEveryFailure() throws IOException {
    String page = Files.readString(PAGE);

    for (Failure failure : Failure.values()) {
      assertThat(page).contains("| `" + failure.word() + "` |");
    }
  }

  private void fit(String config, List<String> commands) throws Exception {
    Map<Action, ?> actions = BuiltInActions.all(Actions.read(config), folder, text -> {});
    for (String command : commands) {
      Matcher send = SEND.matcher(command);
      assertThat(send.matches()).as(command).isTrue();
      Action action =
          actions.keySet().stream()
              .filter(candidate -> candidate.name().equals(send.group(1)))
              .findFirst()
              .orElseThrow();
      Map<String, String> arguments = new TreeMap<>();
      for (MatchResult pair : ARGUMENT.matcher(send.group(2)).results().toList()) {
        arguments.put(pair.group(1), pair.group(2).replace("\"", ""));
      }
      assertThat(action.refusal(arguments, command.contains("--body"))).as(command).isNull();
    }
  }

  private static List<String> blocks(String section, String kind) {
    return BLOCK
        .matcher(section)
        .results()
        .filter(block -> block.group(1).equals(kind))
        .map(block -> block.group(2))
        .toList();
  }
}
