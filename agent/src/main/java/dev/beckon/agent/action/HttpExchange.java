package dev.beckon.agent.action;

import dev.beckon.device.Result;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** One HTTP call to another device: limited in time and size, and never led off the list. */
final class HttpExchange {
  private static final int MAX_REDIRECTS = 5;

  /** Follows no redirect itself; HTTP/1.1, because small devices stumble over an upgrade. */
  private static final class Client {
    static final HttpClient SHARED =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  private final Predicate<URI> allowed;
  private final Duration timeLimit;
  private final long maxAnswerBytes;

  /**
   * @param allowed where a redirect may lead
   * @param timeLimit for all of it
   */
  HttpExchange(Predicate<URI> allowed, Duration timeLimit, long maxAnswerBytes) {
    this.allowed = allowed;
    this.timeLimit = timeLimit;
    this.maxAnswerBytes = maxAnswerBytes;
  }

  /** What a call sends. */
  record Call(
      String method, URI uri, Map<String, String> headers, HttpRequest.BodyPublisher body) {}

  /** An answer of whatever status. */
  record Response(int status, String contentType, URI uri, Answer answer) {
    Result addTo(Result result) {
      Result more = result.with("status", status);
      return answer.addTo(contentType.isEmpty() ? more : more.with("content-type", contentType));
    }

    /** Success for a status from 200 to 299, else a typed failure; with the answer. */
    Result result() {
      boolean fine = status >= 200 && status <= 299;
      return addTo(
          fine
              ? Result.ok()
              : Failure.HTTP_STATUS.because("status: " + status + " (expected 200 to 299)"));
    }
  }

  /**
   * Makes the call.
   *
   * @throws FailedException if there is no answer, or one too long
   */
  Response send(Call call) throws FailedException, InterruptedException {
    TimeLimit limit = TimeLimit.start(timeLimit);
    Call next = call;
    for (int redirects = 0; ; redirects++) {
      HttpResponse<Answer> response = once(next, limit);
      String location = response.headers().firstValue("Location").orElse("");
      int status = response.statusCode();
      if (!List.of(301, 302, 303, 307, 308).contains(status) || location.isEmpty()) {
        return checked(response);
      }
      next = redirected(next, status, location);
      if (redirects == MAX_REDIRECTS) {
        throw new FailedException(
            Failure.UNREACHABLE,
            "target: "
                + call.uri().getAuthority()
                + " (expected at most "
                + MAX_REDIRECTS
                + " redirects)");
      }
    }
  }

  private Call redirected(Call call, int status, String location) throws FailedException {
    URI uri;
    try {
      uri = call.uri().resolve(location);
    } catch (IllegalArgumentException e) {
      throw new FailedException(Failure.HTTP_STATUS, "redirect: " + location + " (expected a URL)");
    }
    if (!allowed.test(uri)) {
      throw new FailedException(
          Failure.TARGET_NOT_ALLOWED
              .because(
                  "redirect: " + uri + " (expected a target that is on the list in agent.yaml)")
              .with("status", status));
    }
    // What is meant for one device, such as a password, is not for another.
    boolean sameDevice = HttpTargets.sameOriginAs(List.of(call.uri())).test(uri);
    Map<String, String> headers = sameDevice ? call.headers() : Map.of();
    return status == 307 || status == 308
        ? new Call(call.method(), uri, headers, call.body())
        : new Call("GET", uri, headers, HttpRequest.BodyPublishers.noBody());
  }

  private HttpResponse<Answer> once(Call call, TimeLimit limit)
      throws FailedException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(call.uri())
            .timeout(Duration.ofMillis(limit.leftMillis()))
            .method(call.method(), call.body());
    call.headers().forEach(request::header);
    CompletableFuture<HttpResponse<Answer>> response =
        Client.SHARED.sendAsync(request.build(), info -> new BoundedBody(maxAnswerBytes));
    try {
      return response.get(limit.leftMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw late(call, limit);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof HttpTimeoutException) {
        throw late(call, limit);
      }
      IOException problem = e.getCause() instanceof IOException io ? io : new IOException(e);
      throw new FailedException(
          Failure.UNREACHABLE, Unreachable.reason(call.uri().getAuthority(), problem));
    } finally {
      response.cancel(true); // if it has not ended: gives the connection up
    }
  }

  /** Names the host only: the rest of a URL may be secret. */
  private static FailedException late(Call call, TimeLimit limit) {
    return new FailedException(
        Failure.TIMED_OUT, limit.reason("an answer from " + call.uri().getAuthority()));
  }

  private Response checked(HttpResponse<Answer> response) throws FailedException {
    String contentType = response.headers().firstValue("Content-Type").orElse("");
    Response answer =
        new Response(response.statusCode(), contentType, response.uri(), response.body());
    if (response.body().truncated()) {
      throw new FailedException(answer.addTo(Answer.tooLarge(maxAnswerBytes)));
    }
    return answer;
  }

  /** Keeps the first bytes, and gives up the rest. */
  private static final class BoundedBody implements HttpResponse.BodySubscriber<Answer> {
    private final long maxBytes;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CompletableFuture<Answer> answer = new CompletableFuture<>();
    private Flow.Subscription subscription;

    @SuppressWarnings("NullAway.Init") // onSubscribe comes first
    BoundedBody(long maxBytes) {
      this.maxBytes = maxBytes;
    }

    @Override
    public CompletionStage<Answer> getBody() {
      return answer;
    }

    @Override
    public void onSubscribe(Flow.Subscription newSubscription) {
      subscription = newSubscription;
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      for (ByteBuffer buffer : buffers) {
        byte[] part = new byte[(int) Math.min(buffer.remaining(), maxBytes - bytes.size())];
        buffer.get(part);
        bytes.write(part, 0, part.length);
        if (buffer.hasRemaining()) {
          subscription.cancel();
          answer.complete(new Answer(bytes.toByteArray(), true));
          return;
        }
      }
    }

    @Override
    public void onError(Throwable problem) {
      answer.completeExceptionally(problem);
    }

    @Override
    public void onComplete() {
      answer.complete(new Answer(bytes.toByteArray(), false));
    }
  }
}
