package dev.beckon.agent;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import picocli.CommandLine.Model.CommandSpec;

/** Says on standard error what went wrong, in one line. */
final class Complaint {
  private Complaint() {}

  static int print(CommandSpec spec, String message, int exitCode) {
    spec.commandLine().getErr().println(spec.root().name() + ": " + message);
    spec.commandLine().getErr().flush();
    return exitCode;
  }

  /** What is wrong with a file, in words. */
  static String text(IOException e) {
    String message = String.valueOf(e.getMessage());
    if (e instanceof AccessDeniedException) {
      return "data: " + message + " (no permission; expected a folder that can be written)";
    }
    if (e instanceof FileSystemException file) {
      return "data: " + file.getFile() + " (" + file.getReason() + ")";
    }
    return message;
  }

  /** Whether nobody answered, rather than somebody refused. */
  static boolean isUnreachable(IOException e) {
    return e instanceof ConnectException
        || e instanceof NoRouteToHostException
        || e instanceof UnknownHostException
        || e instanceof SocketTimeoutException;
  }
}
