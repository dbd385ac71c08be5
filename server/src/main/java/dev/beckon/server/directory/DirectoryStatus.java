package dev.beckon.server.directory;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How far the directory is.
 *
 * @param version of the signed list; 0 while there is none
 * @param issuedAt when that version was made
 * @param upToDate whether the signed list says what the operator wants; false while a change waits
 *     for its signature
 * @param signer number of the server that signs: 0 for this one, else 65,535
 * @param devicesUpToDate devices that hold this version, as far as they told
 * @param devicesBeingWoken devices that were woken for it and did not come yet
 */
public record DirectoryStatus(
    long version,
    @Nullable Instant issuedAt,
    boolean upToDate,
    int signer,
    long devicesUpToDate,
    int devicesBeingWoken) {}
