package dev.beckon.lab.fleet;

import com.google.protobuf.ByteString;
import dev.beckon.server.store.PrivateFiles;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The identities of a simulated fleet: one private key, and a certificate of each device. Kept in
 * {@code fleet.certificates} beside the server's data. Immutable.
 */
public final class FleetCertificates {

  private static final String FILE = "fleet.certificates";
  private static final int MAGIC = 0x42466c31; // "BFl1"
  private static final int BUFFER_BYTES = 1 << 20;

  /**
   * What all devices have in common.
   *
   * @param key private half of the key in every certificate
   * @param masterKeyId that their device keys come from
   * @param rootsHash as they name the roots in their Hello
   */
  record Head(
      int devices,
      PrivateKey key,
      int masterKeyId,
      ByteString rootsHash,
      List<X509Certificate> roots) {}

  private final Head head;

  /** One behind the other, DER: objects for each would cost more than what they hold. */
  private final byte[] certificates;

  private final int[] ends;

  private FleetCertificates(Head head, byte[] certificates, int[] ends) {
    this.head = head;
    this.certificates = certificates;
    this.ends = ends;
  }

  static Path file(Path data) {
    return data.resolve(FILE);
  }

  /**
   * Reads what {@link FleetFolder#provision} left in a data folder.
   *
   * @throws IOException if it is not there or damaged
   */
  public static FleetCertificates open(Path data) throws IOException {
    Path file = file(data);
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES))) {
      if (in.readInt() != MAGIC) {
        throw new IOException(file + ": not a fleet's certificates (provision the folder again)");
      }
      int devices = in.readInt();
      int masterKeyId = in.readInt();
      ByteString rootsHash = ByteString.copyFrom(bytes(in));
      PrivateKey key =
          KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(bytes(in)));
      List<X509Certificate> roots = new ArrayList<>();
      for (int n = in.readInt(); n > 0; n--) {
        roots.add(parse(bytes(in)));
      }
      byte[] all = new byte[Math.toIntExact(Files.size(file))];
      int[] ends = new int[devices];
      int end = 0;
      for (int device = 0; device < devices; device++) {
        int length = in.readUnsignedShort();
        in.readFully(all, end, length);
        end += length;
        ends[device] = end;
      }
      return new FleetCertificates(
          new Head(devices, key, masterKeyId, rootsHash, List.copyOf(roots)), all, ends);
    } catch (GeneralSecurityException | IndexOutOfBoundsException damaged) {
      throw new IOException(file + ": damaged (provision the folder again)", damaged);
    }
  }

  private static byte[] bytes(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readUnsignedShort()];
    in.readFully(bytes);
    return bytes;
  }

  private static X509Certificate parse(byte[] der) throws GeneralSecurityException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
  }

  /** How many devices there are, numbered from 0. */
  public int devices() {
    return head.devices();
  }

  /** Of every device. */
  public PrivateKey key() {
    return head.key();
  }

  /** What the devices trust. */
  public List<X509Certificate> roots() {
    return head.roots();
  }

  /** ID of the master key that the device keys come from. */
  public int masterKeyId() {
    return head.masterKeyId();
  }

  ByteString rootsHash() {
    return head.rootsHash();
  }

  /**
   * One device's certificate in DER; a new array each time.
   *
   * @param device 0 to {@code devices() - 1}
   */
  public byte[] encoded(int device) {
    return Arrays.copyOfRange(certificates, device == 0 ? 0 : ends[device - 1], ends[device]);
  }

  /** One device's certificate; a new object each time. */
  public X509Certificate certificate(int device) {
    try {
      return parse(encoded(device));
    } catch (GeneralSecurityException damaged) {
      throw new IllegalStateException("certificate of device " + device + ": damaged", damaged);
    }
  }

  static Writer write(Path file, Head head) throws IOException {
    PrivateFiles.createEmpty(file);
    Writer writer = new Writer(file);
    writer.head(head);
    return writer;
  }

  /** Writes the file, for one thread. */
  static final class Writer implements AutoCloseable {
    private final DataOutputStream out;

    private Writer(Path file) throws IOException {
      this.out =
          new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), BUFFER_BYTES));
    }

    private void head(Head head) throws IOException {
      out.writeInt(MAGIC);
      out.writeInt(head.devices());
      out.writeInt(head.masterKeyId());
      add(head.rootsHash().toByteArray());
      add(head.key().getEncoded());
      out.writeInt(head.roots().size());
      try {
        for (X509Certificate root : head.roots()) {
          add(root.getEncoded());
        }
      } catch (GeneralSecurityException e) {
        throw new IOException("a root has no encoding", e);
      }
    }

    /** The next device's certificate in DER. */
    void add(byte[] bytes) throws IOException {
      out.writeShort(bytes.length);
      out.write(bytes);
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
