package dev.beckon.server.directory;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.directory.ListSignature;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.SignedDirectory;
import dev.beckon.server.directory.ListRefusedException.Reason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether a signed list is the directory server's and not older than the one that is held: the
 * checks that a device makes.
 */
public final class ListCheck {
  /** Longest serialized SignedDirectory: some 10,000 entries. */
  public static final int MAX_BYTES = 1 << 20;

  /** The number in the certificate of whoever signs lists. */
  public static final int SIGNER_NUMBER = 65_535;

  private static final int MAX_CHAIN = 4;

  /** Whether a certificate chain is that of the fleet's server {@link #SIGNER_NUMBER}. */
  @FunctionalInterface
  public interface SignerCheck {
    /**
     * @param chain the signer's own certificate first; not empty
     * @throws CertificateException if it is not, with the reason
     */
    void check(List<X509Certificate> chain) throws CertificateException;
  }

  private ListCheck() {}

  /**
   * Reads a list that may be taken.
   *
   * @param signed a serialized SignedDirectory
   * @param heldVersion of the list that is held already, unsigned; 0 = none. The same version
   *     passes
   * @throws ListRefusedException if it must not be taken
   */
  public static DirectoryList check(byte[] signed, long heldVersion, SignerCheck signer)
      throws ListRefusedException {
    if (signed.length > MAX_BYTES) {
      throw malformed(signed.length + " bytes (expected at most " + MAX_BYTES + ")", null);
    }
    DirectoryList list;
    try {
      SignedDirectory parts = SignedDirectory.parseFrom(signed);
      checkSignature(parts, signer);
      list = DirectoryList.parseFrom(parts.getList());
    } catch (InvalidProtocolBufferException e) {
      throw malformed("not readable", e);
    }
    checkEntries(list);
    long version = version(list);
    if (version < heldVersion) {
      throw new ListRefusedException(
          Reason.ROLLED_BACK,
          "directory: version " + version + " (expected " + heldVersion + " or later)");
    }
    return list;
  }

  /** The list's version, as the unsigned number that it is. */
  public static long version(DirectoryList list) {
    return Integer.toUnsignedLong(list.getVersion());
  }

  private static void checkSignature(SignedDirectory parts, SignerCheck signer)
      throws ListRefusedException {
    X509Certificate leaf;
    try {
      List<X509Certificate> chain = chain(parts);
      signer.check(chain);
      leaf = chain.get(0);
    } catch (CertificateException e) {
      throw new ListRefusedException(
          Reason.WRONG_SIGNER, "directory: signed by a stranger (" + e.getMessage() + ")", e);
    }
    byte[] list = parts.getList().toByteArray();
    if (!ListSignature.verifies(leaf.getPublicKey(), list, parts.getSignature().toByteArray())) {
      throw new ListRefusedException(
          Reason.FORGED, "directory: not what the directory server signed");
    }
  }

  private static List<X509Certificate> chain(SignedDirectory parts) throws CertificateException {
    int length = parts.getCertificateChainCount();
    if (length < 1 || length > MAX_CHAIN) {
      throw new CertificateException(
          "certificates: " + length + " (expected 1 to " + MAX_CHAIN + ")");
    }
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> chain = new ArrayList<>();
    for (ByteString der : parts.getCertificateChainList()) {
      chain.add((X509Certificate) factory.generateCertificate(der.newInput()));
    }
    return chain;
  }

  private static void checkEntries(DirectoryList list) throws ListRefusedException {
    if (list.getVersion() == 0) {
      throw malformed("version 0 (expected 1 or later)", null);
    }
    int last = 0;
    for (DirectoryEntry entry : list.getEntriesList()) {
      // An address that cannot be read makes that one entry useless, not the list: newer forms of
      // addresses must not keep older devices from the rest.
      if (entry.getNumber() <= last || entry.getNumber() > SIGNER_NUMBER) {
        throw malformed(
            "number "
                + Integer.toUnsignedString(entry.getNumber())
                + " behind "
                + last
                + " (expected rising numbers from 1 to 65535)",
            null);
      }
      last = entry.getNumber();
    }
  }

  private static ListRefusedException malformed(String why, @Nullable Throwable cause) {
    return new ListRefusedException(Reason.MALFORMED, "directory: " + why, cause);
  }
}
