package dev.beckon.e2e;

import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Keeps recordings, tables and logs of a world in which a test failed. */
@NullMarked
final class KeepsEvidence implements AfterTestExecutionCallback {

  /** A test that is about a world. */
  interface InAWorld {
    World world();
  }

  @Override
  public void afterTestExecution(ExtensionContext context) {
    if (context.getExecutionException().isPresent()
        && context.getRequiredTestInstance() instanceof InAWorld test) {
      test.world().keep(context.getDisplayName());
    }
  }
}
