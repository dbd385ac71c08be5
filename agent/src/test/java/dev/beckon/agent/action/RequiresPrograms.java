package dev.beckon.agent.action;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Tests with other people's programs: left out, loudly, where these are not installed, and failed
 * where {@code CI=true}, because there they have to be.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresPrograms.Condition.class)
public @interface RequiresPrograms {

  /** Paths of the programs. */
  String[] value();

  /** Debian's packages with them. */
  String packages();

  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      RequiresPrograms required =
          AnnotationSupport.findAnnotation(context.getElement(), RequiresPrograms.class)
              .orElse(null);
      if (required == null) {
        return ConditionEvaluationResult.enabled("nothing is required");
      }
      List<String> missing =
          Stream.of(required.value())
              .filter(program -> !Files.isExecutable(Path.of(program)))
              .toList();
      if (missing.isEmpty()) {
        return ConditionEvaluationResult.enabled("the programs are installed");
      }
      String message =
          "TESTS LEFT OUT: %s: missing: %s (Debian: apt-get install %s)"
              .formatted(context.getDisplayName(), String.join(" ", missing), required.packages());
      if ("true".equals(System.getenv("CI"))) {
        throw new IllegalStateException(message);
      }
      System.err.println(message);
      return ConditionEvaluationResult.disabled(message);
    }
  }
}
