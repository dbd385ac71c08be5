package dev.beckon.agent.action;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import org.jspecify.annotations.Nullable;

/** Says why another device cannot be reached. */
final class Unreachable {
  private Unreachable() {}

  /** As {@code target: host:port (expected …): why}. */
  static String reason(@Nullable String hostPort, IOException problem) {
    return "target: " + hostPort + " (expected it to answer): " + why(problem);
  }

  private static String why(IOException problem) {
    for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnknownHostException || cause instanceof UnresolvedAddressException) {
        return "no such host name";
      }
      if (cause instanceof NoRouteToHostException) {
        return "no route to it";
      }
      if (cause instanceof PortUnreachableException) {
        return "nothing listens at that port";
      }
    }
    String message = problem.getMessage();
    if (problem instanceof ConnectException) {
      return message == null ? "connection refused" : message;
    }
    return problem instanceof SocketTimeoutException || message == null
        ? problem.getClass().getSimpleName()
        : message;
  }
}
