package dev.beckon.device;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A fleet CA and what it signs, made by the JDK's keytool when a test needs it. */
public final class TestFleet {
  private static final String PASSWORD = "changeit";

  private final Path folder;
  private final X509Certificate root;
  private final AtomicInteger count = new AtomicInteger();

  /** A key and its certificates, its own first. */
  public record Credentials(PrivateKey key, List<X509Certificate> chain) {}

  private static @Nullable TestFleet shared;
  private @Nullable Credentials rendezvous;

  /** One for all tests of this JVM, because making it takes seconds. */
  public static synchronized TestFleet shared() throws IOException, GeneralSecurityException {
    TestFleet fleet = shared;
    if (fleet == null) {
      Path folder = Files.createTempDirectory("fleet");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
      fleet = new TestFleet(folder);
      shared = fleet;
    }
    return fleet;
  }

  public TestFleet(Path folder) throws IOException, GeneralSecurityException {
    this.folder = folder;
    keytool("-genkeypair", "-alias", "ca", "-dname", "CN=fleet", "-ext", "bc:c=ca:true");
    keytool("-exportcert", "-alias", "ca", "-file", "ca.crt");
    this.root = certificate(Files.readAllBytes(folder.resolve("ca.crt")));
  }

  public X509Certificate root() {
    return root;
  }

  public byte[] fingerprint() throws GeneralSecurityException {
    return MessageDigest.getInstance("SHA-256").digest(root.getEncoded());
  }

  /**
   * A server's credentials.
   *
   * @param extensions as keytool's -ext takes them
   */
  public Credentials server(String... extensions) throws IOException, GeneralSecurityException {
    String alias = "server" + count.incrementAndGet();
    keytool("-genkeypair", "-alias", alias, "-dname", "CN=server");
    keytool("-certreq", "-alias", alias, "-file", alias + ".csr");
    X509Certificate leaf = sign(alias + ".csr", "-365d", 730, extensions);
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(folder.resolve("store.p12"))) {
      store.load(in, PASSWORD.toCharArray());
    }
    return new Credentials(
        (PrivateKey) store.getKey(alias, PASSWORD.toCharArray()), List.of(leaf, root));
  }

  /** The rendezvous server's credentials. */
  public synchronized Credentials server() throws IOException, GeneralSecurityException {
    Credentials made = rendezvous;
    if (made == null) {
      made = server("san=uri:urn:beckon:server:0/1", "eku=serverAuth");
      rendezvous = made;
    }
    return made;
  }

  /** A device's certificate for a request in DER. */
  public X509Certificate device(byte[] request, String deviceId, int generation)
      throws IOException, GeneralSecurityException {
    String file = "device" + count.incrementAndGet() + ".csr";
    Files.writeString(
        folder.resolve(file),
        "-----BEGIN NEW CERTIFICATE REQUEST-----\n"
            + Base64.getMimeEncoder().encodeToString(request)
            + "\n-----END NEW CERTIFICATE REQUEST-----\n");
    return sign(
        file,
        "-1d",
        730,
        "san=uri:urn:beckon:device:" + deviceId + "/" + generation,
        "eku=clientAuth");
  }

  private X509Certificate sign(String request, String start, int days, String... extensions)
      throws IOException, GeneralSecurityException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-gencert",
                "-alias",
                "ca",
                "-infile",
                request,
                "-outfile",
                request + ".crt",
                "-startdate",
                start,
                "-validity",
                Integer.toString(days)));
    for (String extension : extensions) {
      arguments.addAll(List.of("-ext", extension));
    }
    keytool(arguments.toArray(new String[0]));
    return certificate(Files.readAllBytes(folder.resolve(request + ".crt")));
  }

  private static void delete(Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      System.err.println("could not delete " + folder + ": " + e);
    }
  }

  private static X509Certificate certificate(byte[] der) throws GeneralSecurityException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
  }

  private void keytool(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(Arrays.asList(arguments));
    command.addAll(List.of("-keystore", "store.p12", "-storepass", PASSWORD));
    if (arguments[0].equals("-genkeypair")) {
      command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-startdate", "-366d"));
      command.addAll(List.of("-validity", "3650"));
    }
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException("keytool " + Arrays.toString(arguments) + ": " + output);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
