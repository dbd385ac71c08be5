package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prints on a real cupsd. */
@RequiresPrograms(
    value = {PrivateCups.SERVER, PrivateCups.TEXT_FILTER},
    packages = PrivateCups.PACKAGES)
class PrintActionTest {
  private static final byte[] PDF =
      "%PDF-1.4\n% not much of one\n".getBytes(StandardCharsets.US_ASCII);

  @TempDir private static Path folder;
  private static PrivateCups cups;

  @TempDir private Path own;
  private final List<String> progress = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    cups = PrivateCups.start(folder);
  }

  @AfterAll
  static void stop() throws Exception {
    if (cups != null) {
      cups.close();
    }
  }

  @AfterEach
  void release() throws IOException {
    for (String suffix : List.of("", ".args", ".hold", ".exit", ".says")) {
      Files.deleteIfExists(cups.output("raw", suffix));
      Files.deleteIfExists(cups.output("pdf", suffix));
    }
  }

  @Test
  void printsTheBodyByteForByteWithItsOptions() throws Exception {
    Result result =
        print(
            "raw",
            Map.of(
                "copies", "2",
                "media", "iso_a4_210x297mm",
                "sides", "two-sided-long-edge",
                "title", "The invoice"),
            PDF);

    assertThat(result.failure()).as(cups.log()).isNull();
    assertThat(result.values())
        .containsEntry("job-state", "completed")
        .containsEntry("pages", "2")
        .containsKey("job");
    assertThat(Files.readAllBytes(cups.output("raw", ""))).isEqualTo(PDF);
    assertThat(Files.readString(cups.output("raw", ".args")))
        .contains(" beckon The invoice 2 ")
        .contains("media=iso_a4_210x297mm")
        .contains("sides=two-sided-long-edge");
  }

  @Test
  void cupsMakesPagesOfAText() throws Exception {
    Result result = print("pdf", Map.of(), "Good morning.\n".getBytes(StandardCharsets.UTF_8));

    assertThat(result.failure()).as(cups.log()).isNull();
    assertThat(result.values()).containsEntry("job-state", "completed");
    assertThat(new String(Files.readAllBytes(cups.output("pdf", "")), StandardCharsets.ISO_8859_1))
        .startsWith("%PDF-");
  }

  @Test
  void tellsHowFarItIsWhileItPrints() throws Exception {
    Files.createFile(cups.output("raw", ".hold"));
    Files.writeString(cups.output("raw", ".says"), "PAGE: 1 1\nSTATE: +media-low-warning\n");
    CountDownLatch onPaper = new CountDownLatch(1);
    CompletableFuture<Result> result =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return action("raw", "")
                    .run(
                        command(
                            Map.of(),
                            PDF,
                            (percent, text) -> {
                              progress.add(text);
                              if (text.contains("1 pages")) {
                                onPaper.countDown();
                              }
                            }));
              } catch (Exception e) {
                throw new CompletionException(e);
              }
            });

    assertThat(onPaper.await(20, TimeUnit.SECONDS)).as("%s %s", progress, result).isTrue();
    assertThat(progress.get(progress.size() - 1)).startsWith("processing").contains("media-low");
    assertThat(result).isNotDone();
    Files.delete(cups.output("raw", ".hold"));
    assertThat(result.get(20, TimeUnit.SECONDS).values()).containsEntry("job-state", "completed");
  }

  @Test
  void aStoppedPrinterIsATypedFailureAndNothingIsPrintedLater() throws Exception {
    Result result = print("stopped", Map.of(), PDF);

    assertThat(result.values())
        .containsEntry("failure", "printer-offline")
        .containsEntry("printer-state", "stopped")
        .containsEntry("printer-state-reasons", "paused")
        .doesNotContainKey("job");
    assertThat(result.failure()).startsWith("printer: stopped: paused");
  }

  @Test
  void aPrinterThatTakesNoJobsIsATypedFailure() throws Exception {
    assertThat(print("refusing", Map.of(), PDF).values())
        .containsEntry("failure", "printer-offline")
        .containsEntry("printer-state", "not accepting jobs");
  }

  @Test
  void aPrintServerThatIsNotThereIsATypedFailure() throws Exception {
    PrintAction action =
        new PrintAction(
            Actions.read("printers: {p: {uri: 'ipp://127.0.0.1:1/ipp/print'}}").print());

    assertThat(run(action, command(Map.of("printer", "p"), PDF, (percent, text) -> {})).values())
        .containsEntry("failure", "unreachable");
  }

  @Test
  void aQueueThatIsNotThereIsATypedFailure() throws Exception {
    assertThat(print("attic", Map.of(), PDF).values())
        .containsEntry("failure", "printer-refused")
        .containsEntry("ipp-status", "client-error-not-found");
  }

  @Test
  void aDocumentThatThePrinterCannotReadIsATypedFailure() throws Exception {
    Result result = print("pdf", Map.of("type", "video/mp4"), PDF);

    assertThat(result.values())
        .containsEntry("failure", "printer-refused")
        .containsEntry("ipp-status", "client-error-document-format-not-supported");
  }

  @Test
  void aJobThatThePrinterGivesUpIsATypedFailure() throws Exception {
    Files.writeString(cups.output("raw", ".exit"), "1");

    Result result = print("raw", Map.of(), PDF);

    assertThat(result.values())
        .containsEntry("failure", "job-failed")
        .containsEntry("job-state", "aborted");
  }

  @Test
  void aJobThatTakesTooLongIsCancelled() throws Exception {
    Files.createFile(cups.output("raw", ".hold"));

    Result result =
        run(action("raw", ", time-limit: 2s"), command(Map.of(), PDF, (percent, text) -> {}));

    assertThat(result.values()).containsEntry("failure", "timed-out").containsKey("job");
    Files.delete(cups.output("raw", ".hold"));
    IppPrinter printer = new IppPrinter(config("raw", "").printers().values().iterator().next());
    assertThat(String.valueOf(printer.job(Integer.parseInt(result.values().get("job"))).state()))
        .contains("canceled");
    assertThat(print("raw", Map.of(), PDF).failure()).as("the next one").isNull();
  }

  @Test
  void aBodyThatIsTooLongOrMissingIsATypedFailure() throws Exception {
    Result tooLong =
        run(action("raw", ", max-body: 10B"), command(Map.of(), PDF, (percent, text) -> {}));
    Result none = run(action("raw", ""), Command.of("print", Map.of(), (percent, text) -> {}));

    assertThat(tooLong.values()).containsEntry("failure", "body-too-large");
    assertThat(tooLong.failure()).isEqualTo("body: 27 bytes (expected at most 10)");
    assertThat(none.values()).containsEntry("failure", "body-missing");
    assertThat(cups.output("raw", "")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          printer=q            | printer: q (expected one of p)
          copies=4             | copies: 4 (expected an integer from 1 to 3)
          copies=0             | copies: 0 (expected an integer from 1 to 3)
          sides=three          | sides: three (expected one of one-sided
          type=text/html       | type: text/html (expected one of application/pdf
          resolution=9         | resolution: unknown argument
          """)
  void allowsWhatTheConfigurationAllows(String argument, String refusal) throws Exception {
    String[] pair = argument.split("=");

    assertThat(action("raw", ", copies: 3").action().refusal(Map.of(pair[0], pair[1]), true))
        .startsWith(refusal);
  }

  private static PrintConfig config(String queue, String more) throws ConfigException {
    String timeLimit = more.contains("time-limit") ? "" : ", time-limit: 60s";
    return Actions.read("printers: {p: {uri: '" + cups.uri(queue) + "'" + timeLimit + more + "}}")
        .print();
  }

  private static PrintAction action(String queue, String more) throws ConfigException {
    return new PrintAction(config(queue, more));
  }

  private Command command(Map<String, String> arguments, byte[] body, Command.Progress onProgress)
      throws IOException {
    Map<String, String> all = new TreeMap<>(arguments);
    return Command.of("print", all, Files.write(own.resolve("body"), body), onProgress);
  }

  private Result print(String queue, Map<String, String> arguments, byte[] body) throws Exception {
    return run(action(queue, ""), command(arguments, body, (percent, text) -> progress.add(text)));
  }

  private static Result run(PrintAction action, Command command) throws Exception {
    return FailedException.caught(action).run(command);
  }
}
