/**
 * A small Internet inside one machine: devices, routers and a server in Linux network namespaces.
 *
 * <p>{@link dev.beckon.lab.NatLab} builds it from a {@link dev.beckon.lab.Topology} and takes it
 * down; {@link dev.beckon.lab.Host} runs programs in it, {@link dev.beckon.lab.Router} plays the
 * router's part. Knows nothing of Beckon itself.
 */
@NullMarked
package dev.beckon.lab;

import org.jspecify.annotations.NullMarked;
