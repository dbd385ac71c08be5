package dev.beckon.agent.action;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;

/**
 * A real cupsd of our own: in a folder of its own, on a free port of the loopback address, with a
 * back end that writes what it is given into a file.
 *
 * <p>The back end takes its orders from files beside that file: {@code NAME.hold} makes it wait,
 * {@code NAME.exit} names its exit code, {@code NAME.says} what it reports to cupsd.
 */
public final class PrivateCups implements AutoCloseable {
  public static final String SERVER = "/usr/sbin/cupsd";
  public static final String TEXT_FILTER = "/usr/lib/cups/filter/texttopdf";

  /** Debian's packages with them. */
  public static final String PACKAGES = "cups-daemon cups-filters";

  private static final Path SYSTEM_BINARIES = Path.of("/usr/lib/cups");

  private static final String BACK_END =
      """
      #!/bin/sh
      [ $# -ge 5 ] || { echo 'direct tofile "Unknown" "Writes to a file"'; exit 0; }
      target=${DEVICE_URI#tofile:}
      echo "$@" > "$target.args"
      if [ "$6" ]; then cat "$6"; else cat; fi > "$target"
      [ -e "$target.says" ] && cat "$target.says" >&2
      while [ -e "$target.hold" ]; do sleep 0.05; done
      [ -e "$target.exit" ] && exit $(cat "$target.exit")
      echo "PAGE: 1 $4" >&2
      exit 0
      """;

  /** Takes PDF, so that the filters of cups-filters must make some of everything else. */
  private static final String PDF_PRINTER =
      """
      *PPD-Adobe: "4.3"
      *FormatVersion: "4.3"
      *FileVersion: "1.0"
      *LanguageVersion: English
      *LanguageEncoding: ISOLatin1
      *PCFileName: "TOFILE.PPD"
      *Manufacturer: "None"
      *Product: "(None)"
      *ModelName: "To a file"
      *ShortNickName: "To a file"
      *NickName: "To a file"
      *PSVersion: "(3010.000) 0"
      *LanguageLevel: "3"
      *ColorDevice: True
      *cupsFilter2: "application/vnd.cups-pdf application/pdf 0 -"
      *OpenUI *PageSize/Media Size: PickOne
      *DefaultPageSize: A4
      *PageSize A4/A4: "<</PageSize[595 842]>>setpagedevice"
      *CloseUI: *PageSize
      *OpenUI *PageRegion/Media Size: PickOne
      *DefaultPageRegion: A4
      *PageRegion A4/A4: "<</PageSize[595 842]>>setpagedevice"
      *CloseUI: *PageRegion
      *DefaultImageableArea: A4
      *ImageableArea A4/A4: "0 0 595 842"
      *DefaultPaperDimension: A4
      *PaperDimension A4/A4: "595 842"
      """;

  private final Path folder;
  private final int port;
  private final Process process;

  private PrivateCups(Path folder, int port, Process process) {
    this.folder = folder;
    this.port = port;
    this.process = process;
  }

  /** Starts it with four queues: {@code raw}, {@code pdf}, {@code stopped} and {@code refusing}. */
  public static PrivateCups start(Path folder) throws IOException, InterruptedException {
    for (String name : new String[] {"etc/ppd", "spool", "cache", "run", "log", "out", "bin"}) {
      Files.createDirectories(folder.resolve(name));
    }
    // cupsd runs filters as a user of its own; they must get at what is theirs in here.
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    Path binaries = folder.resolve("bin");
    for (String name : new String[] {"daemon", "filter"}) {
      Files.createSymbolicLink(binaries.resolve(name), SYSTEM_BINARIES.resolve(name));
    }
    Path backEnd = Files.createDirectory(binaries.resolve("backend")).resolve("tofile");
    Files.writeString(backEnd, BACK_END);
    // Nobody else may run it: then cupsd runs it as itself and not as a user without this folder.
    Files.setPosixFilePermissions(backEnd, PosixFilePermissions.fromString("rwx------"));
    Files.writeString(folder.resolve("etc/ppd/pdf.ppd"), PDF_PRINTER);
    Files.writeString(
        folder.resolve("etc/printers.conf"),
        queue(folder, "raw", "State Idle\nAccepting Yes")
            + queue(folder, "pdf", "State Idle\nAccepting Yes")
            + queue(folder, "stopped", "State Stopped\nReason paused\nAccepting Yes")
            + queue(folder, "refusing", "State Idle\nAccepting No"));
    int port = freePort();
    Path settings = folder.resolve("etc/cupsd.conf");
    Files.writeString(
        settings,
        """
        Listen 127.0.0.1:%d
        LogLevel info
        MaxLogSize 0
        Browsing Off
        WebInterface No
        <Location />
          Order allow,deny
          Allow localhost
        </Location>
        <Policy default>
          JobPrivateAccess all
          JobPrivateValues none
          <Limit Cancel-Job>
            Require user @OWNER
            Order deny,allow
          </Limit>
          <Limit All>
            Order deny,allow
          </Limit>
        </Policy>
        """
            .formatted(port));
    Path files = folder.resolve("etc/cups-files.conf");
    Files.writeString(
        files,
        """
        ServerRoot %1$s/etc
        ServerBin %1$s/bin
        RequestRoot %1$s/spool
        CacheDir %1$s/cache
        StateDir %1$s/run
        TempDir %1$s/spool
        ErrorLog %1$s/log/error
        AccessLog %1$s/log/access
        PageLog %1$s/log/page
        Sandboxing relaxed
        """
            .formatted(folder));
    Process process =
        new ProcessBuilder(SERVER, "-f", "-c", settings.toString(), "-s", files.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log/stdout").toFile())
            .start();
    PrivateCups cups = new PrivateCups(folder, port, process);
    cups.awaitReady();
    return cups;
  }

  private static String queue(Path folder, String name, String state) {
    return """
    <Printer %s>
    DeviceURI tofile:%s
    %s
    ErrorPolicy abort-job
    </Printer>
    """
        .formatted(name, folder.resolve("out").resolve(name), state);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitReady() throws IOException, InterruptedException {
    for (int i = 0; i < 200; i++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        assert socket.isConnected();
        return;
      } catch (IOException e) {
        if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
          break;
        }
      }
    }
    close();
    throw new IOException("cupsd does not listen: " + log());
  }

  /** Where a queue is. */
  public String uri(String queue) {
    return "ipp://127.0.0.1:" + port + "/printers/" + queue;
  }

  /** A file beside what the queue printed last; without a suffix that itself. */
  public Path output(String queue, String suffix) {
    return folder.resolve("out").resolve(queue + suffix);
  }

  /** The end of cupsd's log. */
  public String log() throws IOException {
    Path log = folder.resolve("log/error");
    String all = Files.exists(log) ? Files.readString(log) : "";
    return all.substring(Math.max(0, all.length() - 2_000));
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    // Whoever clears the folder away must not follow these.
    Files.deleteIfExists(folder.resolve("bin/daemon"));
    Files.deleteIfExists(folder.resolve("bin/filter"));
  }
}
