package dev.beckon.agent;

import dev.beckon.device.DeviceIdentity;
import dev.beckon.device.Enrollment;
import dev.beckon.device.EnrollmentRefusedException;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code enroll CODE}: makes this machine a device of a fleet, once. */
@Command(
    name = "enroll",
    description = "On the device, once: makes it a device of the fleet that the code is from.")
public final class EnrollCommand implements Callable<Integer> {
  @Parameters(paramLabel = "CODE", description = "what 'beckon device add' printed")
  private String code = "";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "the device's data folder (default: ~/.local/share/beckon/device)")
  private @Nullable Path data;

  @Spec private @Nullable CommandSpec spec;

  /** Made by picocli. */
  public EnrollCommand() {}

  @Override
  public Integer call() {
    CommandSpec command = Objects.requireNonNull(spec);
    EnrollmentCode parsed;
    try {
      parsed = EnrollmentCode.parse(code);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), e.getMessage());
    }
    Path folder = DataFolder.orDefault(data);
    try {
      DeviceIdentity identity = Enrollment.enroll(parsed, folder);
      command
          .commandLine()
          .getOut()
          .println(
              "enrolled device="
                  + identity.deviceId()
                  + " generation="
                  + identity.generation()
                  + " data="
                  + EventLines.quoted(folder.toString()));
      command.commandLine().getOut().flush();
      return ExitCode.DONE;
    } catch (EnrollmentRefusedException e) {
      return Complaint.print(
          command,
          String.valueOf(e.getMessage()),
          e.code().contains("expired") ? ExitCode.TIMED_OUT : ExitCode.FAILED);
    } catch (IOException e) {
      String server = parsed.host() + ":" + parsed.port();
      if (Complaint.isUnreachable(e)) {
        return Complaint.print(
            command,
            "server: "
                + server
                + " ("
                + e.getMessage()
                + "; expected a Beckon server there: is it running, does the network let"
                + " TCP through?)",
            ExitCode.NOT_REACHABLE);
      }
      String text =
          e instanceof SSLException
              ? "server: " + server + " (" + e.getMessage() + ")"
              : Complaint.text(e);
      return Complaint.print(command, text, ExitCode.FAILED);
    }
  }
}
