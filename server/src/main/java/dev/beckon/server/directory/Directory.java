package dev.beckon.server.directory;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.StoreException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The signed list that this server holds: its own, or a copy of the directory server's. It is on
 * the disk before anybody sees it, and never goes back to a lower version. Thread-safe.
 */
public final class Directory {

  private final Database database;
  private final List<Consumer<SignedList>> listeners = new CopyOnWriteArrayList<>();
  private final List<Consumer<SignedList>> signedAnew = new CopyOnWriteArrayList<>();
  private volatile @Nullable SignedList current;

  /** Apart from {@link #current}, for those who ask at every datagram. */
  private volatile long version;

  /**
   * Opens the list that was held at the last stop.
   *
   * @throws StoreException if it cannot be read
   */
  public Directory(Database database) {
    this.database = database;
    byte[] stored =
        database
            .read(sql -> sql.first("SELECT signed FROM directory", row -> row.getBytes(1)))
            .orElse(null);
    if (stored != null) {
      try {
        show(SignedList.ofStored(stored));
      } catch (InvalidProtocolBufferException e) {
        throw new StoreException(
            "directory: the stored list is damaged (restore the data folder from a backup)", e);
      }
    }
  }

  private void show(SignedList list) {
    current = list;
    version = list.version();
  }

  /** Version of the list that is held; 0 if there is none. Takes no lock and allocates nothing. */
  public long version() {
    return version;
  }

  public Optional<SignedList> current() {
    return Optional.ofNullable(current);
  }

  /**
   * Is told of each list with a higher version, once it is durable. Called on the thread that all
   * writes wait for: return at once.
   */
  public void onNewer(Consumer<SignedList> listener) {
    listeners.add(listener);
  }

  /** Is told of another signature below the list that is held, as {@link #onNewer} is. */
  public void onSignedAnew(Consumer<SignedList> listener) {
    signedAnew.add(listener);
  }

  /**
   * Takes a list from another server after the checks that a device makes. False if it is no newer
   * than the one that is held; of the same version only a newer signature counts.
   *
   * @param signed a serialized SignedDirectory
   * @throws ListRefusedException if it is forged, rolled back or malformed
   */
  public CompletableFuture<Boolean> accept(ByteString signed, ListCheck.SignerCheck signer)
      throws ListRefusedException {
    DirectoryList list = ListCheck.check(signed.toByteArray(), version, signer);
    SignedList arrived = SignedList.of(list, signed);
    SignedList held = current;
    boolean same =
        held != null
            && held.version() == arrived.version()
            && held.entries().equals(arrived.entries())
            && !held.bytes().equals(signed);
    return same ? keepSignedAnew(arrived) : keep(arrived);
  }

  /** Keeps a list that is known to be good; false if one of this version or later is held. */
  CompletableFuture<Boolean> keep(SignedList list) {
    return database.write(
        sql -> {
          long held = sql.first("SELECT version FROM directory", row -> row.getLong(1)).orElse(0L);
          if (list.version() <= held) {
            return false;
          }
          sql.update(
              "INSERT INTO directory (id, version, signed) VALUES (1, ?, ?) ON CONFLICT (id) DO"
                  + " UPDATE SET version = excluded.version, signed = excluded.signed",
              list.version(),
              list.bytes().toByteArray());
          return true;
        },
        kept -> {
          if (kept) {
            show(list);
            listeners.forEach(listener -> listener.accept(list));
          }
        });
  }

  /** Puts another signature below the same list, because a certificate ends some day. */
  CompletableFuture<Boolean> keepSignedAnew(SignedList list) {
    return database.write(
        sql ->
            sql.update(
                    "UPDATE directory SET signed = ? WHERE version = ?",
                    list.bytes().toByteArray(),
                    list.version())
                == 1,
        kept -> {
          if (kept) {
            show(list);
            signedAnew.forEach(listener -> listener.accept(list));
          }
        });
  }
}
