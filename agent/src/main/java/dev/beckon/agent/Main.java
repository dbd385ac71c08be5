package dev.beckon.agent;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ScopeType;

/**
 * Entry of the agent on its own: {@code java -jar beckon-agent.jar enroll CODE}, then {@code
 * agent}.
 */
@Command(
    name = "beckon-agent",
    description = "Makes this machine reachable behind any router.",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    usageHelpAutoWidth = true,
    sortOptions = false,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed",
      "2:wrong usage",
      "3:the server cannot be reached",
      "4:timed out or expired"
    },
    subcommands = {EnrollCommand.class, AgentCommand.class})
public final class Main {
  /** What the launcher calls this program: the first word of the command that was typed. */
  private static final String NAME = "beckon.command";

  private Main() {}

  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Main());
    line.setCommandName(System.getProperty(NAME, line.getCommandName()));
    line.setExitCodeExceptionMapper(e -> ExitCode.FAILED);
    line.setParameterExceptionHandler(
        (e, args) -> {
          line.getErr().println(line.getCommandName() + ": " + e.getMessage());
          line.getErr()
              .println(
                  "  '"
                      + e.getCommandLine().getCommandSpec().qualifiedName()
                      + " --help' shows how");
          return ExitCode.USAGE;
        });
    return line;
  }

  /** The version that the build wrote into the jar. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"beckon-agent " + (version == null ? "(not from a jar)" : version)};
    }
  }
}
