package dev.beckon.server.session;

/** The deny-list as sessions ask it, at every Hello. */
@FunctionalInterface
interface Admission {

  boolean denies(String deviceId, int generation);
}
