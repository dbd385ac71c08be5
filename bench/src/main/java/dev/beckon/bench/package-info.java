/**
 * Yardsticks: micro-benchmarks of our own parts, and programs that drive other people's servers.
 */
@NullMarked
package dev.beckon.bench;

import org.jspecify.annotations.NullMarked;
