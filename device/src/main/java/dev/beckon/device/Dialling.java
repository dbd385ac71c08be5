package dev.beckon.device;

import dev.beckon.device.keepalive.KeyRing;
import dev.beckon.device.wake.DialLogic.Ending;

/** Gets how dialling goes, on the thread of {@link SessionLoop}. */
interface Dialling {
  void onOpened(int server);

  void onFailed(int server);

  void onRefused(int server);

  void onClosed(int server, Ending ending);

  /** A wake was to be told to a session that is no more. */
  void onWakeMissed(int server, long wakeId);

  /** The directory was to be pulled in a session that is no more. */
  void onPullMissed(int server, long wakeId);

  /** The device has another directory. */
  void onDirectory();

  /** The server was asked for the directory and has answered, whatever it was. */
  void onPulled(int server);

  /** The rendezvous server says that another server waits for the device. */
  void onWaiting(int server, long wakeId, long deadlineMillis);

  /** Something is to be told to the rendezvous server, and no session with it is open. */
  void onUntold();

  /** The device has a new key; datagrams go under it from now on. */
  void onRenewed(KeyRing.Key key);

  /** Something of the server has ended while no session with it is open. */
  void onUnreported(int server);
}
