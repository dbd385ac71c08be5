/**
 * A yardstick: CoAP over DTLS 1.2 with connection IDs (RFC 9146), by Californium, and devices that
 * load it. The devices are our own: Californium's client takes more CPU than its server.
 */
@NullMarked
package dev.beckon.bench.dtls;

import org.jspecify.annotations.NullMarked;
