package dev.beckon.cli;

import dev.beckon.protocol.datagram.DeviceId;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Refuses a device ID that no device can have before anybody is asked about it. */
final class DeviceIdConverter implements ITypeConverter<String> {

  @Override
  public String convert(String text) {
    try {
      return new DeviceId(text).value();
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
