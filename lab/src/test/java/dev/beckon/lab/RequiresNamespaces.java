package dev.beckon.lab;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Optional;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests that need a real lab: left out, loudly, where none can be made, and failed where {@code
 * CI=true}, because there it has to be possible.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresNamespaces.Condition.class)
@NullMarked
@interface RequiresNamespaces {

  final class Condition implements ExecutionCondition {

    private static final Optional<String> REASON =
        NatLab.unavailableReason("nft", "conntrack", "tcpdump");

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      if (REASON.isEmpty()) {
        return ConditionEvaluationResult.enabled("namespaces can be made");
      }
      String message = "NAT LAB LEFT OUT: " + REASON.get();
      if ("true".equals(System.getenv("CI"))) {
        throw new IllegalStateException(message);
      }
      System.err.println(message);
      return ConditionEvaluationResult.disabled(message);
    }
  }
}
