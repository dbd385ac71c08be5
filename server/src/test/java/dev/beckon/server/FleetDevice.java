package dev.beckon.server;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.enrollment.EnrollmentCode;
import dev.beckon.protocol.session.Delivery;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRequest;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Frame.KindCase;
import dev.beckon.protocol.session.Hello;
import dev.beckon.protocol.session.State;
import dev.beckon.server.session.DeviceConnection;
import dev.beckon.server.session.FleetPki;
import dev.beckon.server.session.SessionFrames;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.KeyPair;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/** A device's sessions, by hand: it dials what it is told to, and runs every command at once. */
record FleetDevice(String id, X509Certificate root, FleetPki.Held held) {

  static FleetDevice enroll(X509Certificate root, EnrollmentCode code) throws Exception {
    KeyPair keys = FleetPki.newKeys();
    byte[] request =
        new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=x"), keys.getPublic())
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()))
            .getEncoded();
    try (DeviceConnection connection =
        DeviceConnection.open(
            new InetSocketAddress(code.host(), code.port()),
            DeviceConnection.context(root, null),
            "beckon-enroll/1",
            "TLSv1.3")) {
      connection.send(
          Frame.newBuilder()
              .setEnrollmentRequest(
                  EnrollmentRequest.newBuilder()
                      .setSecret(ByteString.copyFrom(code.secret()))
                      .setCertificateRequest(ByteString.copyFrom(request)))
              .build());
      EnrollmentAnswer answer =
          connection.receive(KindCase.ENROLLMENT_ANSWER).getEnrollmentAnswer();
      X509Certificate certificate =
          (X509Certificate)
              CertificateFactory.getInstance("X.509")
                  .generateCertificate(
                      new ByteArrayInputStream(answer.getCertificateChain(0).toByteArray()));
      return new FleetDevice(answer.getDeviceId(), root, new FleetPki.Held(keys, certificate));
    }
  }

  /** Opens a session and says Hello for that server number. */
  DeviceConnection dial(InetSocketAddress address, int number) throws IOException {
    // Newer than the server's list, so that it sends none.
    return dial(address, number, Integer.MAX_VALUE);
  }

  /** Opens a session as a device that holds this version of the list. */
  DeviceConnection dial(InetSocketAddress address, int number, int directoryVersion)
      throws IOException {
    return DeviceConnection.session(address, root, held)
        .send(
            Frame.newBuilder()
                .setHello(
                    Hello.newBuilder()
                        .setDeviceId(id)
                        .setDelivery(Delivery.DELIVERY_PUSH)
                        .setServerNumber(number)
                        .setDirectoryVersion(directoryVersion))
                .build());
  }

  /** Dials, takes one command and reports that it was done. Returns the command's ID. */
  String serveOne(InetSocketAddress address, int number) throws IOException {
    try (DeviceConnection session = dial(address, number)) {
      session.receive(KindCase.WELCOME);
      return serveOne(session);
    }
  }

  static String serveOne(DeviceConnection session) throws IOException {
    Frame frame = session.receive();
    while (frame != null && frame.hasDirectoryPart()) {
      frame = session.receive(); // a list may come in between
    }
    if (frame == null || !frame.hasCommand()) {
      throw new AssertionError("received " + frame + " (expected a command)");
    }
    String command = frame.getCommand().getCommandId();
    session.send(
        SessionFrames.update(command, State.DELIVERED),
        SessionFrames.update(command, State.SUCCEEDED));
    session.receive(KindCase.RECEIPT);
    return command;
  }
}
