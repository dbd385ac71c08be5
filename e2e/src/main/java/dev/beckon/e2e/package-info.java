/**
 * Tests of the whole system, from the outside: real processes, real NAT, other people's tools.
 * There is nothing but tests.
 */
@NullMarked
package dev.beckon.e2e;

import org.jspecify.annotations.NullMarked;
