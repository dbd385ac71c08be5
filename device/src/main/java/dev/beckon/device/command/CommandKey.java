package dev.beckon.device.command;

/**
 * One command on the device. Servers choose command IDs on their own, so that an ID alone could
 * mean another server's command.
 *
 * @param server number of the server that gave it
 * @param commandId as that server calls it
 */
public record CommandKey(int server, String commandId) {}
