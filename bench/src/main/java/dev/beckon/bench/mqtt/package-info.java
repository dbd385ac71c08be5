/** Clients of an MQTT broker that hold a connection each, as idle devices of others do. */
@NullMarked
package dev.beckon.bench.mqtt;

import org.jspecify.annotations.NullMarked;
