/**
 * {@code beckon demo}: a server and two devices as real processes with a kernel NAT between them.
 *
 * <p>{@link dev.beckon.cli.demo.DemoCommand} is the command; {@code Demo} is the play, {@code
 * DemoNetwork} the place where it is given, {@code Screen} what the audience sees. Uses only what
 * any user has: the command line and the lab.
 */
@NullMarked
package dev.beckon.cli.demo;

import org.jspecify.annotations.NullMarked;
