package dev.beckon.server.registrar;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A table that notes whose rows are touched. */
final class WatchedTable implements BindingTable {
  /** Whose rows were fetched, in order. */
  final List<Long> fetched = new ArrayList<>();

  /** Whose rows were fetched, locked, read or written. */
  final Set<Long> touched = new LinkedHashSet<>();

  /** Whether fetching fails, as where a page of the file cannot be read. */
  boolean failing;

  private final RowTable rows = new RowTable(new MemoryRows());

  @Override
  public void lock(long tag) {
    touched.add(tag);
    rows.lock(tag);
  }

  @Override
  public void unlock(long tag) {
    rows.unlock(tag);
  }

  @Override
  public boolean read(long tag, Binding into) {
    touched.add(tag);
    return rows.read(tag, into);
  }

  @Override
  public void write(Binding binding) {
    touched.add(binding.tag);
    rows.write(binding);
  }

  @Override
  public long fetch(long[] tags, int count) {
    if (failing) {
      throw new InternalError("a fault occurred in an unsafe memory access operation");
    }
    for (int i = 0; i < count; i++) {
      fetched.add(tags[i]);
      touched.add(tags[i]);
    }
    return rows.fetch(tags, count);
  }

  @Override
  public long size() {
    return rows.size();
  }
}
