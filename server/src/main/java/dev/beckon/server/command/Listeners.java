package dev.beckon.server.command;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Those who are told what happens to commands. Called on the thread that all writes wait for. */
final class Listeners {

  private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

  private final List<CommandListener> all = new CopyOnWriteArrayList<>();

  void add(CommandListener listener) {
    all.add(listener);
  }

  void accepted(Command command) {
    tell(listener -> listener.accepted(command));
  }

  void changed(Command command) {
    tell(listener -> listener.changed(command));
  }

  void cancelAsked(Command command) {
    tell(listener -> listener.cancelAsked(command));
  }

  void groupChanged(Group group) {
    tell(listener -> listener.groupChanged(group));
  }

  void cancelling(Cancelling cancelling) {
    switch (cancelling) {
      case Cancelling.Cancelled cancelled -> changed(cancelled.command());
      case Cancelling.Asked asked -> {
        changed(asked.command());
        cancelAsked(asked.command());
      }
      case Cancelling.AlreadyEnded _, Cancelling.CommandUnknown _ -> {}
    }
  }

  private void tell(Consumer<CommandListener> message) {
    for (CommandListener listener : all) {
      try {
        message.accept(listener);
      } catch (RuntimeException e) {
        // A listener's bug must not fail the command that it was told about.
        LOG.error("a listener of commands failed", e);
      }
    }
  }
}
