package dev.beckon.lab.fleet;

/**
 * What has happened since the start of a paced run.
 *
 * @param requests keepalives that wanted an answer
 * @param repeated of them, sent again because there was none
 * @param oneWay keepalives that wanted none
 * @param answered requests that were answered
 * @param unanswered requests that were not, however often they were sent
 * @param unproven answers that asked to prove the address
 * @param stale answers that said the sequence was old
 * @param forged datagrams that failed their check
 * @param other datagrams that nothing was done with
 * @param wakes that were acted on
 * @param wakesRepeated that came again
 * @param wakesRefused that were not for a device here, late, stale or forged
 * @param latestNanos how long after its time a keepalive left, at most: a second or more means that
 *     the simulator was the limit
 * @param idleNanos in which there was nothing to do
 */
public record PaceCounts(
    long requests,
    long repeated,
    long oneWay,
    long answered,
    long unanswered,
    long unproven,
    long stale,
    long forged,
    long other,
    long wakes,
    long wakesRepeated,
    long wakesRefused,
    long latestNanos,
    long idleNanos) {

  /** All datagrams that left, but wake answers. */
  public long sent() {
    return requests + repeated + oneWay;
  }

  /** Of the requests sent, repetitions included, the part without an answer. */
  public double lossPercent() {
    long all = requests + repeated;
    return all == 0 ? 0 : 100.0 * (all - answered) / all;
  }
}
