package dev.beckon.device.command;

import dev.beckon.protocol.session.Update;
import java.io.IOException;
import java.util.Collection;

/** The commands that the device must not forget, across restarts and power cuts. */
public interface Journal {
  /**
   * One command.
   *
   * @param server number of the server that gave it
   * @param deadlineMillis after which it may not be started, unix time
   * @param update its state: DELIVERED, RUNNING, or how it ended
   */
  record Entry(int server, long deadlineMillis, Update update) {
    public CommandKey key() {
      return new CommandKey(server, update.getCommandId());
    }
  }

  /** What was remembered when the journal was opened, oldest first. */
  Collection<Entry> entries();

  /**
   * Remembers the entry instead of the former one of the same command; durable on return.
   *
   * @throws IOException if it cannot be made durable
   */
  void write(Entry entry) throws IOException;

  /** Forgets the command. May be lost in a crash: then the end is reported once more. */
  void forget(CommandKey key) throws IOException;
}
