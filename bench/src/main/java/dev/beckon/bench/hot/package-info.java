/**
 * Micro-benchmarks of a keepalive's way through the server, without sockets: decode, authenticate,
 * update, and all of it. {@code bench/jmh} runs them.
 */
@NullMarked
package dev.beckon.bench.hot;

import org.jspecify.annotations.NullMarked;
