package dev.beckon.server.command;

import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.server.identity.Device;
import dev.beckon.server.store.Sql;
import java.sql.SQLException;
import java.util.Optional;

/** What is known of a device when a command for it is accepted. */
@FunctionalInterface
public interface DeviceLookup {

  /** The device, or empty if commands for it are refused; within the accepting transaction. */
  Optional<Device> find(Sql sql, DeviceId id) throws SQLException;
}
