package dev.beckon.server.peer;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.InvalidCertificateRequestException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the rendezvous server does for the other servers of its fleet. Thread-safe. What may block
 * says so, and is called on a thread that may wait.
 */
public interface Rendezvous {

  /** Whether a certificate of this number and generation lets its owner in. At once. */
  boolean admits(int number, int generation);

  /** The server's name in the directory; its number if it has none. May block. */
  String nameOf(int number);

  /** The device, if there is one. May block. */
  Optional<Device> device(DeviceId id);

  /**
   * Wakes the device for that server until it dials it or the deadline passes. At once.
   *
   * @return the wake's ID
   */
  long wake(DeviceId id, int number, long deadlineMillis);

  /** The device dialled that server. At once. */
  void served(DeviceId id, int number);

  /** The whole deny-list at this moment: minimum generations by device ID. At once. */
  Map<String, Integer> denied();

  /** A certificate for the key of a request, and the chain behind it. May block. */
  List<ByteString> certify(byte[] certificateRequest, int number, int generation)
      throws InvalidCertificateRequestException;

  /** Whether a CA root that counts now signed the certificate. At once. */
  boolean signed(X509Certificate certificate);

  /** Which CA roots count now. At once. */
  PeerRoots rootsOfToday();

  /** The server says which roots it goes by. At once. */
  void holds(int number, int generation, PeerRoots roots);

  /** The CA certificates of the fleet, DER. */
  List<ByteString> roots();
}
