package dev.beckon.device.session;

import com.google.protobuf.ByteString;

/**
 * What a device holds of its fleet's keys.
 *
 * @param keyId of the master key that its device key comes from, 0 to 255
 * @param rootsHash SHA-256 over the sorted SHA-256 of its CA roots
 * @param renewAfterMillis when half of its certificate's life is over, unix time
 * @param justRenewed whether it got all of that in a renewal that no session has followed yet
 */
public record Held(int keyId, ByteString rootsHash, long renewAfterMillis, boolean justRenewed) {}
