package dev.beckon.lab.fleet;

/**
 * Devices in blocks of up to 64 neighbours, which share a socket, so that a block can leave with
 * one call. Neighbouring blocks have different sockets.
 *
 * @param devices of the fleet
 * @param sockets that they send from
 */
record Blocks(int devices, int sockets) {

  int count() {
    return (devices + SourceSockets.BATCH - 1) / SourceSockets.BATCH;
  }

  static int of(int device) {
    return device / SourceSockets.BATCH;
  }

  static int first(int block) {
    return block * SourceSockets.BATCH;
  }

  int length(int block) {
    return Math.min(SourceSockets.BATCH, devices - first(block));
  }

  int socket(int block) {
    return block % sockets;
  }
}
