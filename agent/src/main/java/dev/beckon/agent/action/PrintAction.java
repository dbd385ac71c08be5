package dev.beckon.agent.action;

import com.hp.jipp.encoding.Attribute;
import com.hp.jipp.model.Types;
import dev.beckon.agent.action.IppPrinter.Condition;
import dev.beckon.agent.action.IppPrinter.Document;
import dev.beckon.agent.action.IppPrinter.Job;
import dev.beckon.agent.action.PrintConfig.Printer;
import dev.beckon.device.Action;
import dev.beckon.device.ActionHandler;
import dev.beckon.device.Command;
import dev.beckon.device.Parameter;
import dev.beckon.device.Result;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The action {@code print}: prints the command's body and follows the job until the last page is
 * out.
 */
final class PrintAction implements ActionHandler {
  private static final String PRINTER = "printer";
  private static final String COPIES = "copies";
  private static final String MEDIA = "media";
  private static final String SIDES = "sides";
  private static final String TITLE = "title";
  private static final String TYPE = "type";

  private static final String[] TYPES = {
    "application/pdf",
    "text/plain",
    "application/postscript",
    "image/jpeg",
    "image/png",
    "image/pwg-raster",
    "image/urf",
    "application/octet-stream"
  };

  /** How documents begin. */
  private static final Map<String, byte[]> BEGINNINGS =
      new LinkedHashMap<>(
          Map.of(
              "application/pdf", "%PDF".getBytes(StandardCharsets.US_ASCII),
              "application/postscript", "%!".getBytes(StandardCharsets.US_ASCII),
              "image/png", new byte[] {(byte) 0x89, 'P', 'N', 'G'},
              "image/jpeg", new byte[] {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF},
              "image/pwg-raster", "RaS2".getBytes(StandardCharsets.US_ASCII)));

  private static final long POLL_MILLIS = 500;

  private final Map<String, Printer> printers;

  PrintAction(PrintConfig config) {
    this.printers = config.printers();
  }

  Action action() {
    int copies = printers.values().stream().mapToInt(Printer::copies).max().orElse(1);
    Parameter printer = Parameter.text(PRINTER).oneOf(printers.keySet().toArray(new String[0]));
    return Action.named("print")
        .describedAs("Prints a document (the body)")
        .takesBody()
        .takes(
            printers.size() == 1 ? printer.optional() : printer,
            Parameter.integer(COPIES).optional().between(1, copies),
            Parameter.text(MEDIA)
                .optional()
                .between(1, 255)
                .describedAs("size and kind of the paper, such as iso_a4_210x297mm"),
            Parameter.text(SIDES)
                .optional()
                .oneOf("one-sided", "two-sided-long-edge", "two-sided-short-edge"),
            Parameter.text(TITLE).optional().between(1, 127).describedAs("name of the print job"),
            Parameter.text(TYPE)
                .optional()
                .oneOf(TYPES)
                .describedAs("content type of the body; told by its first bytes if not given"))
        .checkedBy(this::refusal);
  }

  private @Nullable String refusal(Map<String, String> arguments) {
    String name = arguments.getOrDefault(PRINTER, printers.keySet().iterator().next());
    Printer printer = printers.get(name);
    String copies = arguments.get(COPIES);
    return printer == null || copies == null || Long.parseLong(copies) <= printer.copies()
        ? null
        : COPIES + ": " + copies + " (expected at most " + printer.copies() + " on " + name + ")";
  }

  @Override
  public Result run(Command command) throws FailedException, InterruptedException, IOException {
    String name =
        command.has(PRINTER) ? command.text(PRINTER) : printers.keySet().iterator().next();
    Printer printer = printers.get(name);
    if (printer == null) {
      throw new FailedException(
          Failure.TARGET_NOT_ALLOWED,
          PRINTER + ": " + name + " (expected one of " + printers.keySet() + ")");
    }
    if (command.bodyBytes() == 0) {
      throw new FailedException(Failure.BODY_MISSING, "body: none (expected a document)");
    }
    if (command.bodyBytes() > printer.maxBodyBytes()) {
      throw new FailedException(
          Failure.BODY_TOO_LARGE,
          "body: "
              + command.bodyBytes()
              + " bytes (expected at most "
              + printer.maxBodyBytes()
              + ")");
    }
    TimeLimit limit = TimeLimit.start(printer.timeLimit());
    IppPrinter ipp = new IppPrinter(printer);
    Result offline = ipp.condition().offline();
    if (offline != null) {
      throw new FailedException(offline);
    }
    int job = ipp.print(document(command));
    try {
      return follow(ipp, job, command, limit);
    } catch (InterruptedException e) {
      cancel(ipp, job); // the agent is being stopped and could not tell how it ends
      throw e;
    }
  }

  private static Document document(Command command) throws IOException {
    List<Attribute<?>> options = new ArrayList<>();
    if (command.has(COPIES)) {
      options.add(Types.copies.of((int) command.integer(COPIES)));
    }
    if (command.has(MEDIA)) {
      options.add(Types.media.of(command.text(MEDIA)));
    }
    if (command.has(SIDES)) {
      options.add(Types.sides.of(command.text(SIDES)));
    }
    return new Document(
        command.has(TITLE) ? command.text(TITLE) : "Beckon " + command.id(),
        command.has(TYPE) ? command.text(TYPE) : type(command),
        options,
        command.bodyBytes(),
        () -> {
          try {
            return command.body();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** By the first bytes; of what is not known the printer may find out itself. */
  private static String type(Command command) throws IOException {
    byte[] first;
    try (InputStream in = command.body()) {
      first = in.readNBytes(512);
    }
    for (Map.Entry<String, byte[]> beginning : BEGINNINGS.entrySet()) {
      byte[] mark = beginning.getValue();
      if (first.length >= mark.length
          && java.util.Arrays.equals(first, 0, mark.length, mark, 0, mark.length)) {
        return beginning.getKey();
      }
    }
    boolean text = true;
    for (byte b : first) {
      text &= b >= ' ' || b < 0 || b == '\n' || b == '\r' || b == '\t' || b == '\f';
    }
    return text ? "text/plain" : "application/octet-stream";
  }

  private static Result follow(IppPrinter ipp, int id, Command command, TimeLimit limit)
      throws FailedException, InterruptedException {
    String told = "";
    FailedException unheard = null;
    while (!limit.isOver()) {
      try {
        Job job = ipp.job(id);
        if (job.ended()) {
          return ended(id, job);
        }
        Condition condition = ipp.condition();
        if (condition.stopped()) {
          cancel(ipp, id);
          throw new FailedException(
              java.util.Objects.requireNonNull(condition.offline()).with("job", id));
        }
        String tells = progress(job, condition);
        if (!tells.equals(told)) {
          told = tells;
          int percent = job.allPages() == 0 ? 0 : Math.min(100, 100 * job.pages() / job.allPages());
          command.progress(percent, tells);
        }
        unheard = null;
      } catch (FailedException e) {
        if (!Failure.UNREACHABLE.word().equals(e.result().values().get(Result.FAILURE))) {
          throw e;
        }
        unheard = e; // it may be back in a moment, and prints meanwhile
      }
      Thread.sleep(POLL_MILLIS);
    }
    if (unheard != null) {
      throw new FailedException(unheard.result().with("job", id));
    }
    String reasons = ipp.condition().reasons();
    cancel(ipp, id);
    throw new FailedException(
        Failure.TIMED_OUT
            .because(limit.reason("the job to be printed; it was cancelled"))
            .with("job", id)
            .with("printer-state-reasons", reasons));
  }

  private static String progress(Job job, Condition condition) {
    StringBuilder text = new StringBuilder(job.state() == null ? "lost" : job.state().getName());
    if (job.pages() > 0) {
      text.append(", ").append(job.pages());
      text.append(job.allPages() > 0 ? " of " + job.allPages() : "").append(" pages");
    }
    String reasons = (job.reasons() + " " + condition.reasons()).strip();
    return reasons.isEmpty() ? text.toString() : text + " (" + reasons + ")";
  }

  private static Result ended(int id, Job job) throws FailedException {
    Result result = Result.ok();
    if (!job.completed()) {
      String details = (job.reasons() + " " + job.message()).strip();
      result =
          Failure.JOB_FAILED.because(
              "job: "
                  + id
                  + " "
                  + (job.state() == null ? "lost" : job.state().getName())
                  + (details.isEmpty() ? "" : ": " + details)
                  + " (expected completed)");
    }
    result = result.with("job", id).with("job-state-reasons", job.reasons());
    result = job.state() == null ? result : result.with("job-state", job.state().getName());
    result = job.pages() > 0 ? result.with("pages", job.pages()) : result;
    if (result.failure() != null) {
      throw new FailedException(result);
    }
    return result;
  }

  private static void cancel(IppPrinter ipp, int job) throws InterruptedException {
    try {
      ipp.cancel(job);
    } catch (FailedException e) {
      // It has ended meanwhile, or nobody can be told.
    }
  }
}
