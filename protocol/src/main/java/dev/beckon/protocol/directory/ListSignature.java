package dev.beckon.protocol.directory;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;

/**
 * The signature of a directory list: ECDSA P-256 with SHA-256 over a label and the list. The label
 * keeps a signature that the same key made for something else from passing as one of a list.
 */
public final class ListSignature {
  private static final String ALGORITHM = "SHA256withECDSA";
  private static final byte[] LABEL = "beckon directory 1\0".getBytes(StandardCharsets.US_ASCII);

  private ListSignature() {}

  /**
   * @param list a serialized DirectoryList
   * @return the signature in DER
   */
  public static byte[] sign(PrivateKey key, byte[] list) throws GeneralSecurityException {
    Signature signature = Signature.getInstance(ALGORITHM);
    signature.initSign(key);
    signature.update(LABEL);
    signature.update(list);
    return signature.sign();
  }

  /** Whether the key's owner signed the list. */
  public static boolean verifies(PublicKey key, byte[] list, byte[] signed) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initVerify(key);
      signature.update(LABEL);
      signature.update(list);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false; // malformed, or another kind of key
    }
  }
}
