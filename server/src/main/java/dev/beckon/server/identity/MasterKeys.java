package dev.beckon.server.identity;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The keys from which every device's key is derived. */
public final class MasterKeys {

  private MasterKeys() {}

  public static MasterKeys openOrCreate(Path folder) {
    throw new UnsupportedOperationException(folder.toString());
  }

  public byte @Nullable [] key(int keyId) {
    throw new UnsupportedOperationException();
  }

  public int newestId() {
    throw new UnsupportedOperationException();
  }

  /** 16 bytes, SipHash. */
  public byte[] tableKey() {
    throw new UnsupportedOperationException();
  }

  /** 16 bytes. */
  public byte[] pathTokenKey() {
    throw new UnsupportedOperationException();
  }
}
