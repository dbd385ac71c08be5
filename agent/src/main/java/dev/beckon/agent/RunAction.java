package dev.beckon.agent;

import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The action {@code run}: runs a program that the configuration allows, with typed parameters.
 *
 * <p>The program gets an argument vector; no shell reads it. Its output (standard error too) is
 * sent back line by line as progress, and as the result: up to 16 KiB as a value, longer as a body.
 */
final class RunAction implements ActionHandler {
  static final String PROGRAM = "program";

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([A-Za-z0-9._-]+)}");
  private static final int MAX_VALUE_BYTES = 16 * 1024;
  private static final int MAX_OUTPUT_BYTES = 8 << 20;
  private static final long PROGRESS_PAUSE_NANOS = Duration.ofMillis(500).toNanos();
  private static final long KILL_MILLIS = 2_000;

  private final Map<String, AgentConfig.Program> programs;

  RunAction(Map<String, AgentConfig.Program> programs) {
    this.programs = programs;
  }

  /** The parameter that an argument stands for; null if it stands for itself. */
  static @Nullable String parameterOf(String argument) {
    Matcher matcher = PLACEHOLDER.matcher(argument);
    return matcher.matches() ? matcher.group(1) : null;
  }

  /**
   * What the server is told. Parameters are those of all programs together; which belong to which
   * is checked on the device.
   *
   * @throws ConfigException if two programs mean different things by one name
   */
  Action action() throws ConfigException {
    Map<String, Parameter> all = new LinkedHashMap<>();
    for (AgentConfig.Program program : programs.values()) {
      for (Parameter parameter : program.parameters().values()) {
        Parameter former = all.put(parameter.name(), parameter.optional());
        if (former != null && !former.expectation().equals(parameter.expectation())) {
          throw new ConfigException(
              "programs: parameter "
                  + parameter.name()
                  + " (expected the same type and range in all programs)");
        }
      }
    }
    return Action.named("run")
        .describedAs("Runs an allowed program")
        .takes(Parameter.text(PROGRAM).oneOf(programs.keySet().toArray(new String[0])))
        .takes(all.values().toArray(new Parameter[0]))
        .checkedBy(this::refusal);
  }

  private @Nullable String refusal(Map<String, String> arguments) {
    AgentConfig.Program program = programs.get(arguments.get(PROGRAM));
    if (program == null) {
      return PROGRAM
          + ": "
          + arguments.get(PROGRAM)
          + " (expected one of "
          + programs.keySet()
          + ")";
    }
    for (Parameter parameter : program.parameters().values()) {
      if (parameter.isRequired() && !arguments.containsKey(parameter.name())) {
        return parameter.name() + ": missing (expected " + parameter.expectation() + ")";
      }
    }
    for (String name : arguments.keySet()) {
      if (!name.equals(PROGRAM) && !program.parameters().containsKey(name)) {
        return name
            + ": unknown argument (expected "
            + program.parameters().keySet()
            + " for program "
            + arguments.get(PROGRAM)
            + ")";
      }
    }
    return null;
  }

  @Override
  public Result run(Command command) throws IOException, InterruptedException {
    AgentConfig.Program program = programs.get(command.text(PROGRAM));
    if (program == null) {
      return Result.failed("program: " + command.text(PROGRAM) + " (expected an allowed one)");
    }
    ProcessBuilder builder =
        new ProcessBuilder(vector(program, command))
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.PIPE);
    if (program.folder() != null) {
      builder.directory(program.folder().toFile());
    }
    Process process = builder.start();
    process.getOutputStream().close();
    Output output = new Output(command);
    Thread reader = new Thread(() -> output.readAll(process.getInputStream()), "beckon-output");
    reader.setDaemon(true);
    reader.start();
    try {
      boolean ended = process.waitFor(program.timeLimit().toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        kill(process);
      }
      reader.join(KILL_MILLIS); // a child of the program may hold the pipe open
      if (!ended) {
        return output.addTo(
            Result.failed(
                "time limit: "
                    + DurationText.format(program.timeLimit())
                    + " passed (expected the program to end before)"));
      }
      int exit = process.exitValue();
      Result result = exit == 0 ? Result.ok() : Result.failed("exit code: " + exit);
      return output.addTo(result.with("exit", exit));
    } finally {
      if (process.isAlive()) {
        kill(process);
      }
    }
  }

  private static List<String> vector(AgentConfig.Program program, Command command) {
    List<String> vector = new ArrayList<>();
    for (String argument : program.command()) {
      String parameter = parameterOf(argument);
      if (parameter == null) {
        vector.add(argument);
      } else if (command.has(parameter)) {
        vector.add(command.text(parameter));
      } // an optional one that is not given leaves no argument
    }
    return vector;
  }

  private static void kill(Process process) throws InterruptedException {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    boolean gone = process.waitFor(KILL_MILLIS, TimeUnit.MILLISECONDS);
    assert gone || process.isAlive();
  }

  /** Collects what the program prints. */
  private static final class Output {
    private final Command command;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private long nextProgressNanos = System.nanoTime();

    Output(Command command) {
      this.command = command;
    }

    void readAll(InputStream in) {
      byte[] buffer = new byte[8192];
      try (in) {
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          append(buffer, n);
        }
      } catch (IOException e) {
        // The program was killed; what it printed before stays.
      }
    }

    private synchronized void append(byte[] buffer, int length) {
      bytes.write(buffer, 0, Math.min(length, MAX_OUTPUT_BYTES - bytes.size()));
      long now = System.nanoTime();
      if (nextProgressNanos - now <= 0) {
        nextProgressNanos = now + PROGRESS_PAUSE_NANOS;
        command.progress(0, lastLine(new String(buffer, 0, length, StandardCharsets.UTF_8)));
      }
    }

    synchronized Result addTo(Result result) {
      byte[] all = bytes.toByteArray();
      if (all.length == 0) {
        return result;
      }
      if (all.length <= MAX_VALUE_BYTES) {
        return result.with("output", new String(all, StandardCharsets.UTF_8));
      }
      byte[] end = Arrays.copyOfRange(all, all.length - MAX_VALUE_BYTES, all.length);
      return result
          .with("output", new String(end, StandardCharsets.UTF_8))
          .with("output-bytes", all.length)
          .withBody(all);
    }

    private static String lastLine(String text) {
      String trimmed = text.stripTrailing();
      String line = trimmed.substring(trimmed.lastIndexOf('\n') + 1);
      return line.length() <= 500 ? line : line.substring(0, 500);
    }
  }
}
