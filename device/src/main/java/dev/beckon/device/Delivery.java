package dev.beckon.device;

/** How commands come to the device in a session; the device chooses. */
public enum Delivery {
  /** The server hands commands over on its own as soon as the session stands. */
  PUSH,
  /** The server hands commands over only when the device asks for them. */
  INQUIRY
}
