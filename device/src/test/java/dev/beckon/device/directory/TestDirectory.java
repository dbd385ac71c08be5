package dev.beckon.device.directory;

import com.google.protobuf.ByteString;
import dev.beckon.device.TestFleet;
import dev.beckon.protocol.directory.ListSignature;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.DirectoryPart;
import dev.beckon.protocol.session.SignedDirectory;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Lists as a directory server makes them. */
public final class TestDirectory {
  private TestDirectory() {}

  public static DirectoryList list(int version, Map<Integer, String> addresses) {
    DirectoryList.Builder list = DirectoryList.newBuilder().setVersion(version);
    new TreeMap<>(addresses)
        .forEach(
            (number, address) ->
                list.addEntries(
                    DirectoryEntry.newBuilder()
                        .setNumber(number)
                        .setName("server " + number)
                        .setAddress(address)));
    return list.build();
  }

  public static byte[] sign(TestFleet.Credentials signer, DirectoryList list)
      throws GeneralSecurityException {
    SignedDirectory.Builder signed =
        SignedDirectory.newBuilder()
            .setList(list.toByteString())
            .setSignature(
                ByteString.copyFrom(ListSignature.sign(signer.key(), list.toByteArray())));
    for (X509Certificate certificate : signer.chain()) {
      signed.addCertificateChain(ByteString.copyFrom(certificate.getEncoded()));
    }
    return signed.build().toByteArray();
  }

  public static List<DirectoryPart> parts(int version, byte[] signed, int partBytes) {
    List<DirectoryPart> parts = new ArrayList<>();
    for (int offset = 0; offset < signed.length; offset += partBytes) {
      int length = Math.min(partBytes, signed.length - offset);
      parts.add(
          DirectoryPart.newBuilder()
              .setVersion(version)
              .setTotalBytes(signed.length)
              .setOffset(offset)
              .setContent(ByteString.copyFrom(signed, offset, length))
              .build());
    }
    return parts;
  }
}
