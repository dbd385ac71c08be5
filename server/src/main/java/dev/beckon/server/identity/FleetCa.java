package dev.beckon.server.identity;

import dev.beckon.protocol.datagram.DeviceId;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Set;

/** The fleet's certificate authority. */
public final class FleetCa {

  private FleetCa() {}

  public static FleetCa openOrCreate(Path folder, InstantSource clock) {
    throw new UnsupportedOperationException(folder.toString() + clock);
  }

  public X509Certificate root() {
    throw new UnsupportedOperationException();
  }

  /** SHA-256 of {@link #root()} in DER. */
  public byte[] fingerprint() {
    throw new UnsupportedOperationException();
  }

  public X509Certificate issueDevice(byte[] csrDer, DeviceId id, int generation)
      throws InvalidCertificateRequestException {
    throw new UnsupportedOperationException();
  }

  public ServerCredentials issueServer(Set<Integer> numbers) {
    throw new UnsupportedOperationException();
  }
}
