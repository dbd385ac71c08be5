package dev.beckon.server.registrar;

/** What became of an authentic keepalive. */
enum Outcome {
  /** It counted: sequence, address and time are recorded. */
  ACCEPTED,
  /** Its sequence is the last one: answered again, changes nothing. */
  REPEATED,
  /** Its sequence is older than the last one: the answer tells the last one, nothing changes. */
  STALE,
  /** Its address is new and no valid path token proves it: nothing changes. */
  UNPROVEN
}
