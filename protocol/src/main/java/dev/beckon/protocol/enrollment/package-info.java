/**
 * What a person carries from the server to a device: the enrollment code. It depends on nothing but
 * the JDK.
 */
@NullMarked
package dev.beckon.protocol.enrollment;

import org.jspecify.annotations.NullMarked;
