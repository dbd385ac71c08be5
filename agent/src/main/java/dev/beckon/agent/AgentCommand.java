package dev.beckon.agent;

import dev.beckon.agent.action.BuiltInActions;
import dev.beckon.agent.config.ConfigException;
import dev.beckon.agent.config.DurationText;
import dev.beckon.device.Delivery;
import dev.beckon.device.Device;
import dev.beckon.device.DeviceIdentity;
import dev.beckon.protocol.Security;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code agent}: runs the device, until it is told to stop.
 *
 * <p>Prints {@code ready device=… data=…} first, then one line per event. On SIGINT or SIGTERM it
 * says goodbye to the server and ends.
 */
@Command(
    name = "agent",
    description = "On the device: keeps it reachable and carries out its commands.")
public final class AgentCommand implements Callable<Integer> {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "the device's data folder (default: ~/.local/share/beckon/device)")
  private @Nullable Path data;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "what the device can do (default: agent.yaml in the data folder, if there)")
  private @Nullable Path config;

  @Option(
      names = "--delivery",
      paramLabel = "push|inquiry",
      converter = DeliveryText.class,
      description = "whether the server hands commands over, or the device asks (default: push)")
  private @Nullable Delivery delivery;

  @Option(
      names = "--interval",
      paramLabel = "DURATION",
      converter = DurationText.class,
      description = "time between two keepalives, from 15s to 135m (default: 25s)")
  private @Nullable Duration interval;

  @Option(
      names = "--security",
      paramLabel = "mutual|server|none",
      converter = SecurityText.class,
      description =
          "who proves what to whom; the server needs the same (default: mutual; the others are for"
              + " labs)")
  private @Nullable Security security;

  @Option(
      names = "--insecure",
      description = "allows another security than mutual where the server is not on loopback")
  private boolean insecure;

  @Option(names = "--lab", description = "allows intervals from 1s; for tests, never in the field")
  private boolean lab;

  @Spec private @Nullable CommandSpec spec;

  /** Made by picocli. */
  public AgentCommand() {}

  @Override
  public Integer call() throws InterruptedException {
    followDns();
    logInOneLine();
    CommandSpec command = Objects.requireNonNull(spec);
    Path folder = DataFolder.orDefault(data);
    EventLines events = new EventLines(command.commandLine().getOut(), InstantSource.system());
    Device device;
    try {
      device = build(folder, events);
    } catch (ConfigException e) {
      return Complaint.print(command, String.valueOf(e.getMessage()), ExitCode.USAGE);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), e.getMessage());
    } catch (IOException e) {
      return Complaint.print(command, Complaint.text(e), ExitCode.FAILED);
    }
    CountDownLatch stopped = new CountDownLatch(1);
    Thread hook = new Thread(() -> stop(device, stopped), "beckon-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      device.start();
      events.ready(device.identity().deviceId().value(), folder);
      stopped.await();
    } catch (IOException e) {
      Runtime.getRuntime().removeShutdownHook(hook);
      return Complaint.print(command, Complaint.text(e), ExitCode.FAILED);
    } catch (InterruptedException e) {
      Runtime.getRuntime().removeShutdownHook(hook);
      stop(device, stopped);
      throw e;
    }
    return ExitCode.DONE;
  }

  /**
   * The JDK would keep addresses for 30 s, failures for 10 s, and put IPv4 first whatever the
   * system prefers. Must come before the first address is looked up.
   */
  private static void followDns() {
    java.security.Security.setProperty("networkaddress.cache.ttl", "0");
    java.security.Security.setProperty("networkaddress.cache.negative.ttl", "0");
    if (System.getProperty("java.net.preferIPv6Addresses") == null) {
      System.setProperty("java.net.preferIPv6Addresses", "system");
    }
  }

  /** What the library logs, such as its warning about the security, goes to standard error. */
  private static void logInOneLine() {
    String format = "java.util.logging.SimpleFormatter.format";
    if (System.getProperty(format) == null) {
      System.setProperty(format, "%4$s: %5$s%6$s%n");
    }
  }

  private Device build(Path folder, EventLines events) throws ConfigException, IOException {
    AgentConfig settings = readConfig(folder);
    DeviceIdentity identity = DeviceIdentity.load(folder);
    Device.Builder builder = Device.builder().identity(identity).listener(events);
    Delivery chosen = delivery != null ? delivery : settings.delivery();
    if (chosen != null) {
      builder.delivery(chosen);
    }
    Duration wanted = interval != null ? interval : settings.interval();
    if (wanted != null) {
      builder.interval(wanted);
    }
    if (settings.oneWayKeepalives()) {
      builder.oneWayKeepalives();
    }
    Security mode = security != null ? security : settings.security();
    if (mode != null) {
      builder.security(mode);
    }
    if (insecure || settings.insecure()) {
      builder.insecure();
    }
    if (lab) {
      builder.lab();
    }
    return BuiltInActions.addTo(builder, settings.actions(), folder, events::display).build();
  }

  private AgentConfig readConfig(Path folder) throws ConfigException {
    if (config != null) {
      return AgentConfig.read(config);
    }
    Path usual = folder.resolve("agent.yaml");
    return Files.exists(usual) ? AgentConfig.read(usual) : AgentConfig.EMPTY;
  }

  private static void stop(Device device, CountDownLatch stopped) {
    try {
      device.close();
    } catch (IOException e) {
      // It ends anyway.
    } finally {
      stopped.countDown();
    }
  }

  /** Reads {@code mutual}, {@code server} and {@code none}. */
  private static final class SecurityText implements ITypeConverter<Security> {
    @Override
    public Security convert(String text) {
      try {
        return AgentConfig.parseSecurity(text.toLowerCase(Locale.ROOT));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** Reads {@code push} and {@code inquiry}. */
  private static final class DeliveryText implements ITypeConverter<Delivery> {
    @Override
    public Delivery convert(String text) {
      try {
        return AgentConfig.parseDelivery(text.toLowerCase(Locale.ROOT));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
