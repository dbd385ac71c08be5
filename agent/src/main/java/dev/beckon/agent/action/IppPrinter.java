package dev.beckon.agent.action;

import com.hp.jipp.encoding.Attribute;
import com.hp.jipp.encoding.AttributeGroup;
import com.hp.jipp.encoding.AttributeType;
import com.hp.jipp.encoding.IppInputStream;
import com.hp.jipp.encoding.IppOutputStream;
import com.hp.jipp.encoding.IppPacket;
import com.hp.jipp.encoding.Tag;
import com.hp.jipp.model.JobState;
import com.hp.jipp.model.PrinterState;
import com.hp.jipp.model.Status;
import com.hp.jipp.model.Types;
import dev.beckon.agent.action.PrintConfig.Printer;
import dev.beckon.device.Result;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the action {@code print} asks of a printer or a queue of CUPS: IPP/2.0 over HTTP. */
final class IppPrinter {
  private static final int FIRST_ERROR = 0x0400;
  private static final int IPP_PORT = 631;
  private static final long MAX_ANSWER_BYTES = 1 << 20;
  private static final Duration QUESTION = Duration.ofSeconds(15);

  private final Printer printer;
  private final URI http;

  IppPrinter(Printer printer) {
    this.printer = printer;
    URI uri = printer.uri();
    try {
      int port = uri.getPort() < 0 ? IPP_PORT : uri.getPort();
      String scheme = uri.getScheme().equals("ipps") ? "https" : "http";
      this.http = new URI(scheme, null, uri.getHost(), port, uri.getPath(), null, null);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /**
   * How the printer is.
   *
   * @param stopped whether it prints nothing until somebody sees to it
   * @param reasons keywords, such as {@code media-empty}; empty if there are none
   */
  record Condition(boolean stopped, boolean accepting, String reasons, String message) {
    /** Why nothing will be printed; null if it will. */
    @Nullable Result offline() {
      if (!stopped && accepting) {
        return null;
      }
      String state = stopped ? "stopped" : "not accepting jobs";
      String details = (reasons + " " + message).strip();
      return Failure.PRINTER_OFFLINE
          .because(
              "printer: "
                  + state
                  + (details.isEmpty() ? "" : ": " + details)
                  + " (expected a printer that is switched on and ready)")
          .with("printer-state", state)
          .with("printer-state-reasons", reasons);
    }
  }

  /**
   * How a job is.
   *
   * @param state null if the printer does not know the job any more
   * @param pages printed so far
   * @param allPages 0 if that is not known
   */
  record Job(@Nullable JobState state, String reasons, String message, int pages, int allPages) {
    boolean ended() {
      return state == null
          || state.equals(JobState.completed)
          || state.equals(JobState.canceled)
          || state.equals(JobState.aborted);
    }

    boolean completed() {
      return JobState.completed.equals(state);
    }
  }

  /**
   * What is to be printed, and how.
   *
   * @param body is opened anew for each attempt to send it
   */
  record Document(
      String title,
      String contentType,
      List<Attribute<?>> options,
      long bytes,
      Supplier<InputStream> body) {}

  Condition condition() throws FailedException, InterruptedException {
    IppPacket answer =
        ask(
            IppPacket.getPrinterAttributes(
                printer.uri(),
                Types.printerState,
                Types.printerStateReasons,
                Types.printerStateMessage,
                Types.printerIsAcceptingJobs),
            null);
    checkStatus(answer);
    AttributeGroup attributes = group(answer, Tag.printerAttributes);
    Boolean accepting = value(attributes, Types.printerIsAcceptingJobs);
    return new Condition(
        PrinterState.stopped.equals(value(attributes, Types.printerState)),
        accepting == null || accepting,
        reasons(attributes, Types.printerStateReasons),
        text(attributes, Types.printerStateMessage));
  }

  /** Sends the document and returns the number of the job. */
  int print(Document document) throws FailedException, InterruptedException {
    IppPacket.Builder request = IppPacket.printJob(printer.uri());
    request.putOperationAttributes(
        Types.requestingUserName.of(printer.user()),
        Types.jobName.of(document.title()),
        // Rather nothing than something else: what is asked for is printed so, or refused.
        Types.ippAttributeFidelity.of(!document.options().isEmpty()),
        Types.documentFormat.of(document.contentType()));
    if (!document.options().isEmpty()) {
      request.putJobAttributes(document.options());
    }
    IppPacket answer = ask(request, document);
    checkStatus(answer);
    return Objects.requireNonNullElse(value(group(answer, Tag.jobAttributes), Types.jobId), 0);
  }

  Job job(int id) throws FailedException, InterruptedException {
    IppPacket answer =
        ask(
            named(
                IppPacket.getJobAttributes(
                    printer.uri(),
                    id,
                    Types.jobState,
                    Types.jobStateReasons,
                    Types.jobStateMessage,
                    Types.jobImpressions,
                    Types.jobImpressionsCompleted,
                    Types.jobMediaSheetsCompleted)),
            null);
    if (answer.getStatus().equals(Status.clientErrorNotFound)
        || answer.getStatus().equals(Status.clientErrorGone)) {
      return new Job(null, "", "the printer does not know the job any more", 0, 0);
    }
    checkStatus(answer);
    AttributeGroup attributes = group(answer, Tag.jobAttributes);
    int impressions = count(attributes, Types.jobImpressionsCompleted);
    int sheets = count(attributes, Types.jobMediaSheetsCompleted);
    return new Job(
        value(attributes, Types.jobState),
        reasons(attributes, Types.jobStateReasons),
        text(attributes, Types.jobStateMessage),
        Math.max(impressions, sheets),
        count(attributes, Types.jobImpressions));
  }

  /** Asks the printer to give the job up. */
  void cancel(int id) throws FailedException, InterruptedException {
    checkStatus(ask(named(IppPacket.cancelJob(printer.uri(), id)), null));
  }

  private IppPacket.Builder named(IppPacket.Builder request) {
    return request.putOperationAttributes(Types.requestingUserName.of(printer.user()));
  }

  private IppPacket ask(IppPacket.Builder request, @Nullable Document document)
      throws FailedException, InterruptedException {
    Duration limit = document == null ? QUESTION : printer.timeLimit();
    HttpExchange.Response response =
        new HttpExchange(uri -> false, limit, MAX_ANSWER_BYTES)
            .send(
                new HttpExchange.Call(
                    "POST",
                    http,
                    Map.of("Content-Type", "application/ipp"),
                    body(request.build(), document)));
    if (response.status() != 200) {
      throw new FailedException(
          response.addTo(
              Failure.HTTP_STATUS.because(
                  "printer: HTTP status " + response.status() + " (expected 200)")));
    }
    try (IppInputStream in =
        new IppInputStream(new ByteArrayInputStream(response.answer().bytes()))) {
      return in.readPacket();
    } catch (IOException | RuntimeException e) {
      throw new FailedException(
          Failure.UNREACHABLE, "target: " + printer.uri() + " (expected an IPP printer): " + e);
    }
  }

  private static BodyPublisher body(IppPacket request, @Nullable Document document) {
    ByteArrayOutputStream packet = new ByteArrayOutputStream();
    try (IppOutputStream out = new IppOutputStream(packet)) {
      out.write(request);
    } catch (IOException e) {
      throw new IllegalStateException(e); // not in memory
    }
    BodyPublisher head = BodyPublishers.ofByteArray(packet.toByteArray());
    return document == null
        ? head
        : BodyPublishers.fromPublisher(
            BodyPublishers.concat(head, BodyPublishers.ofInputStream(document.body())),
            packet.size() + document.bytes());
  }

  private void checkStatus(IppPacket answer) throws FailedException {
    Status status = answer.getStatus();
    if (status.getCode() < FIRST_ERROR) {
      return;
    }
    boolean offline =
        status.equals(Status.serverErrorNotAcceptingJobs)
            || status.equals(Status.serverErrorPrinterIsDeactivated)
            || status.equals(Status.serverErrorServiceUnavailable)
            || status.equals(Status.serverErrorDeviceError);
    String message = text(group(answer, Tag.operationAttributes), Types.statusMessage);
    List<String> unsupported = new ArrayList<>();
    for (Attribute<?> attribute : group(answer, Tag.unsupportedAttributes)) {
      unsupported.add(attribute.getName());
    }
    throw new FailedException(
        (offline ? Failure.PRINTER_OFFLINE : Failure.PRINTER_REFUSED)
            .because(
                "printer: "
                    + printer.uri()
                    + " says "
                    + status.getName()
                    + (message.isEmpty() ? "" : ": " + message)
                    + (unsupported.isEmpty()
                        ? ""
                        : " (expected another " + String.join(", ", unsupported) + ")"))
            .with("ipp-status", status.getName()));
  }

  private static AttributeGroup group(IppPacket packet, Tag tag) {
    for (AttributeGroup group : packet.getAttributeGroups()) {
      if (group.getTag().equals(tag)) {
        return group;
      }
    }
    return AttributeGroup.groupOf(Tag.operationAttributes);
  }

  private static <T> @Nullable T value(AttributeGroup group, AttributeType<T> type) {
    return group.getValue(type);
  }

  private static int count(AttributeGroup group, AttributeType<Integer> type) {
    Integer value = value(group, type);
    return value == null ? 0 : value;
  }

  private static String text(AttributeGroup group, AttributeType<?> type) {
    String text = group.getString(type);
    return text == null ? "" : text;
  }

  /** Without {@code none}. */
  private static String reasons(AttributeGroup group, AttributeType<String> type) {
    return String.join(
        " ", group.getStrings(type).stream().filter(reason -> !reason.equals("none")).toList());
  }
}
