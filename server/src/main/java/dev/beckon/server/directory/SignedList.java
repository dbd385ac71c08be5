package dev.beckon.server.directory;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.SignedDirectory;
import java.time.Instant;
import java.util.List;

/**
 * A list as the directory server signed it.
 *
 * @param version counts up from 1
 * @param entries by number
 * @param bytes a serialized SignedDirectory, as it goes to devices
 */
public record SignedList(
    long version, Instant issuedAt, List<DirectoryEntry> entries, ByteString bytes) {

  private static final int MAX_ENROLLMENT_BYTES = 32_768;

  public SignedList {
    entries = List.copyOf(entries);
  }

  /** As it goes into the answer to an enrollment: empty if it is longer than fits there. */
  public ByteString forEnrollment() {
    return bytes.size() <= MAX_ENROLLMENT_BYTES ? bytes : ByteString.EMPTY;
  }

  static SignedList of(DirectoryList list, ByteString bytes) {
    return new SignedList(
        ListCheck.version(list),
        Instant.ofEpochMilli(list.getIssuedAtMillis()),
        list.getEntriesList(),
        bytes);
  }

  /** Reads one that was checked before it was kept. */
  static SignedList ofStored(byte[] bytes) throws InvalidProtocolBufferException {
    SignedDirectory signed = SignedDirectory.parseFrom(bytes);
    return of(DirectoryList.parseFrom(signed.getList()), ByteString.copyFrom(bytes));
  }
}
