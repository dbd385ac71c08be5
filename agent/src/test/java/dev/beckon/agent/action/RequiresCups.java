package dev.beckon.agent.action;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests with a real print server: left out, loudly, where CUPS is not installed, and failed where
 * {@code CI=true}, because there it has to be.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresCups.Condition.class)
public @interface RequiresCups {

  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      String missing = "";
      for (Path needed : new Path[] {PrivateCups.SERVER, PrivateCups.TEXT_FILTER}) {
        missing += Files.isExecutable(needed) ? "" : " " + needed;
      }
      if (missing.isEmpty()) {
        return ConditionEvaluationResult.enabled("CUPS is installed");
      }
      String message =
          "PRINT TESTS LEFT OUT: missing:"
              + missing
              + " (Debian: apt-get install cups-daemon cups-filters)";
      if ("true".equals(System.getenv("CI"))) {
        throw new IllegalStateException(message);
      }
      System.err.println(message);
      return ConditionEvaluationResult.disabled(message);
    }
  }
}
