package dev.beckon.device.directory;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.device.tls.Pem;
import dev.beckon.device.tls.ServerCheck;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.directory.ListSignature;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.SignedDirectory;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Which lists a device believes: those that the fleet's directory server signed, and that are newer
 * than what the device has.
 */
public final class DirectoryCheck {
  /** Of a signed list: some 65,535 entries with names and addresses of usual length. */
  public static final int MAX_BYTES = 4 << 20;

  private static final int MAX_CERTIFICATES = 8;

  private DirectoryCheck() {}

  /**
   * Judges a list that a server sent.
   *
   * @param signed a serialized SignedDirectory
   * @param roots the fleet's CA certificates
   * @param heldVersion of the list that the device has; 0 if none
   * @param now the device's clock
   * @throws DirectoryRefusedException if the device must not believe it
   */
  public static Directory check(
      byte[] signed, Collection<X509Certificate> roots, long heldVersion, Instant now)
      throws DirectoryRefusedException {
    if (signed.length > MAX_BYTES) {
      throw refused(
          DirectoryVerdict.TOO_LONG, signed.length + " bytes (expected at most " + MAX_BYTES + ")");
    }
    SignedDirectory directory = parse(signed);
    X509Certificate signer = signer(directory, roots, now);
    byte[] list = directory.getList().toByteArray();
    if (!ListSignature.verifies(
        signer.getPublicKey(), list, directory.getSignature().toByteArray())) {
      throw refused(DirectoryVerdict.FORGED, "the signature is not over this list");
    }
    Directory read = read(directory);
    if (read.version() <= heldVersion) {
      throw refused(
          read.version() == heldVersion ? DirectoryVerdict.SAME : DirectoryVerdict.OLDER,
          "version " + read.version() + " (expected one above " + heldVersion + ")");
    }
    return read;
  }

  /**
   * Reads a list that was judged before and kept since. The signer's certificate may have expired
   * and the roots may have changed: the list stays good until a newer one comes.
   *
   * @throws DirectoryRefusedException if it cannot be read
   */
  public static Directory reread(byte[] signed) throws DirectoryRefusedException {
    return read(parse(signed));
  }

  private static SignedDirectory parse(byte[] signed) throws DirectoryRefusedException {
    try {
      return SignedDirectory.parseFrom(signed);
    } catch (InvalidProtocolBufferException e) {
      throw refused(DirectoryVerdict.MALFORMED, String.valueOf(e.getMessage()));
    }
  }

  private static Directory read(SignedDirectory directory) throws DirectoryRefusedException {
    try {
      return Directory.of(DirectoryList.parseFrom(directory.getList()));
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw refused(DirectoryVerdict.MALFORMED, String.valueOf(e.getMessage()));
    }
  }

  private static X509Certificate signer(
      SignedDirectory directory, Collection<X509Certificate> roots, Instant now)
      throws DirectoryRefusedException {
    if (directory.getCertificateChainCount() > MAX_CERTIFICATES) {
      throw refused(DirectoryVerdict.UNTRUSTED, "more than 8 certificates");
    }
    try {
      List<X509Certificate> chain = new ArrayList<>();
      for (ByteString der : directory.getCertificateChainList()) {
        chain.add(Pem.certificate(der.toByteArray()));
      }
      ServerCheck.check(chain, roots, Wake.DIRECTORY_SERVER, now);
      return chain.get(0);
    } catch (CertificateException e) {
      throw refused(DirectoryVerdict.UNTRUSTED, String.valueOf(e.getMessage()));
    }
  }

  private static DirectoryRefusedException refused(DirectoryVerdict verdict, String message) {
    return new DirectoryRefusedException(verdict, message);
  }
}
