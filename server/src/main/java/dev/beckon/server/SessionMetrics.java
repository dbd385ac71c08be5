package dev.beckon.server;

import dev.beckon.server.api.MetricsText;
import dev.beckon.server.session.CloseReason;
import dev.beckon.server.session.Refusal;
import dev.beckon.server.session.SessionCounters;
import java.util.Locale;

/** The session port's figures. */
final class SessionMetrics {

  private SessionMetrics() {}

  static void write(MetricsText text, SessionCounters sessions) {
    text.counter("beckon_sessions_total", "Sessions opened.", sessions.opened());
    text.counter("beckon_enrollments_total", "Devices enrolled.", sessions.enrolled());
    for (Refusal reason : Refusal.values()) {
      text.counter(
          "beckon_sessions_refused_total",
          "Connections refused, by reason.",
          sessions.refused(reason),
          "reason",
          label(reason));
    }
    for (CloseReason reason : CloseReason.values()) {
      text.counter(
          "beckon_sessions_closed_total",
          "Sessions closed, by reason.",
          sessions.closed(reason),
          "reason",
          label(reason));
    }
  }

  private static String label(Enum<?> reason) {
    return reason.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
