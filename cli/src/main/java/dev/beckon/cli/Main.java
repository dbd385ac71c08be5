package dev.beckon.cli;

import dev.beckon.agent.AgentCommand;
import dev.beckon.agent.EnrollCommand;
import dev.beckon.cli.demo.DemoCommand;
import dev.beckon.cli.terminal.Ink;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Entry of the {@code beckon} command.
 *
 * <p>Errors are one line on standard error, then perhaps a second one with what to do; a stack
 * trace appears only for a mistake of ours. Exit codes are those of {@link ExitCode}.
 */
@Command(
    name = "beckon",
    description = "Reach any device behind any router, the moment you want it.",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    usageHelpAutoWidth = true,
    usageHelpWidth = 100,
    sortOptions = false,
    optionListHeading = "%nOptions:%n",
    parameterListHeading = "%nParameters:%n",
    commandListHeading = "%nCommands:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed",
      "2:wrong usage",
      "3:the server cannot be reached",
      "4:timed out or expired"
    },
    subcommands = {
      ServeCommand.class,
      DeviceCommand.class,
      EnrollCommand.class,
      AgentCommand.class,
      SendCommand.class,
      WakeCommand.class,
      CommandCommand.class,
      AppServerCommand.class,
      WatchCommand.class,
      DoctorCommand.class,
      SimulateCommand.class,
      KeyCommand.class,
      CaCommand.class,
      DemoCommand.class,
      CompletionCommand.class
    })
public final class Main {

  private Main() {}

  public static void main(String[] args) {
    System.exit(run(Surroundings.ofProcess(), args));
  }

  static int run(Surroundings surroundings, String... args) {
    if (args.length == 0) {
      commandLine(surroundings).usage(surroundings.err());
      return ExitCode.USAGE;
    }
    return commandLine(surroundings).execute(args);
  }

  static CommandLine commandLine(Surroundings surroundings) {
    CommandLine.IFactory factory = new Factory(surroundings);
    CommandLine line = new CommandLine(new Main(), factory);
    line.setOut(new PrintWriter(surroundings.out(), true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(surroundings.err(), true, StandardCharsets.UTF_8));
    line.setColorScheme(
        CommandLine.Help.defaultColorScheme(
            surroundings.colours(surroundings.outIsTerminal()) ? Ansi.ON : Ansi.OFF));
    line.setExitCodeExceptionMapper(e -> ExitCode.FAILED);
    line.setParameterExceptionHandler(
        (e, arguments) -> {
          explain(surroundings, message(e), Optional.of(hint(e)));
          return ExitCode.USAGE;
        });
    line.setExecutionExceptionHandler(
        (e, failed, result) -> {
          if (e instanceof FailureException failure) {
            explain(surroundings, failure.line(), Optional.ofNullable(failure.hint()));
            return failure.exitCode();
          }
          throw e;
        });
    return line;
  }

  private static void explain(Surroundings surroundings, String message, Optional<String> hint) {
    Ink ink = new Ink(surroundings.colours(surroundings.errIsTerminal()));
    surroundings.err().println(ink.bad("beckon: ") + message);
    hint.ifPresent(text -> surroundings.err().println("  " + text));
  }

  private static String message(ParameterException e) {
    if (e instanceof UnmatchedArgumentException unmatched && !unmatched.getUnmatched().isEmpty()) {
      String word = unmatched.getUnmatched().get(0);
      String kind = "unexpected argument";
      if (word.startsWith("-")) {
        kind = "unknown option";
      } else if (!e.getCommandLine().getSubcommands().isEmpty()) {
        kind = "unknown command";
      }
      return kind + ": " + word;
    }
    if (e.getCause() instanceof TypeConversionException conversion) {
      return String.valueOf(conversion.getMessage());
    }
    Map<String, CommandLine> subcommands = e.getCommandLine().getSubcommands();
    if (!(e instanceof MissingParameterException) && !subcommands.isEmpty()) {
      return "missing command (expected " + String.join(", ", subcommands.keySet()) + ")";
    }
    // Only the first line: picocli sometimes explains how its parser came to it.
    String line = String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage");
    return line.substring(0, 1).toLowerCase(Locale.ROOT) + line.substring(1);
  }

  private static String hint(ParameterException e) {
    CommandLine line = e.getCommandLine();
    String help = "'" + line.getCommandSpec().qualifiedName() + " --help' shows how it is used";
    if (e instanceof UnmatchedArgumentException unmatched && !unmatched.getUnmatched().isEmpty()) {
      String word = unmatched.getUnmatched().get(0);
      List<String> known = new ArrayList<>(line.getSubcommands().keySet());
      if (word.startsWith("-")) {
        known = new ArrayList<>(line.getCommandSpec().optionsMap().keySet());
      }
      return Nearest.to(word, known).map(near -> "did you mean " + near + "? " + help).orElse(help);
    }
    return help;
  }

  /** Makes our own commands with their surroundings, and others the usual way. */
  private record Factory(Surroundings surroundings) implements CommandLine.IFactory {

    @Override
    public <K> K create(Class<K> type) throws Exception {
      for (var constructor : type.getDeclaredConstructors()) {
        if (List.of(constructor.getParameterTypes()).equals(List.of(Surroundings.class))) {
          return type.cast(constructor.newInstance(surroundings));
        }
      }
      return CommandLine.defaultFactory().create(type);
    }
  }

  /** The version that the build wrote into the jar. */
  static final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"beckon " + (version == null ? "(not from a jar)" : version)};
    }
  }
}
