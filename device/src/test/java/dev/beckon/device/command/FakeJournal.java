package dev.beckon.device.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A journal in memory that can be made to fail, and that tells the order of what was written. */
public final class FakeJournal implements Journal {
  public final Map<CommandKey, Entry> entries = new LinkedHashMap<>();
  public final List<String> log = new ArrayList<>();
  public boolean broken;

  @Override
  public Collection<Entry> entries() {
    return List.copyOf(entries.values());
  }

  @Override
  public void write(Entry entry) throws IOException {
    if (broken) {
      throw new IOException("No space left on device");
    }
    entries.put(entry.key(), entry);
    log.add(entry.key().commandId() + " " + entry.update().getState());
  }

  @Override
  public void forget(CommandKey key) throws IOException {
    if (broken) {
      throw new IOException("No space left on device");
    }
    entries.remove(key);
    log.add(key.commandId() + " forgotten");
  }
}
