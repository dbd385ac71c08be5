package dev.beckon.lab.fleet;

/** Opens sessions for simulated devices. Thread-safe. */
public interface SessionDialler extends AutoCloseable {

  /**
   * A wake asks this device to dial. Returns at once; what fails is counted, not thrown.
   *
   * @param device number of the device in the fleet, from 0
   * @param wakeId of the wake that the session follows
   * @param delayMillis of the wake; as devices do, dials after a random part of it
   */
  void dial(int device, long wakeId, long delayMillis);

  @Override
  void close();
}
