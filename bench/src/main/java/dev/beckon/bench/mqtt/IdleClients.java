package dev.beckon.bench.mqtt;

import dev.beckon.bench.Options;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Connects MQTT clients, each with a subscription of its own, and holds them; one that loses its
 * connection dials again after a random part of a second, as often as it takes. Prints a line of
 * JSON whenever all of them stand: at first, and after each loss. Runs until it is killed.
 *
 * <p>All of it runs on one event loop: the broker has the other core.
 *
 * <pre>
 * --address HOST:PORT --clients N --rate N --pause SECONDS [--certificate FILE --key FILE]
 * </pre>
 *
 * <p>Before it connects it prints {@code ready} and pauses, for whoever wants to know what
 * everything took before. With a certificate the connections are TLS 1.3, both sides proven; the
 * broker's certificate is not checked here, which is work that is not the broker's.
 */
public final class IdleClients {
  /** A fleet that dials at once is what the broker is tested with; but not in lockstep. */
  private static final int RETRY_MILLIS = 1000;

  private static final int CONNECT_TIMEOUT_MILLIS = 5000;
  private static final long SEED = 1;

  private final Bootstrap bootstrap;
  private final EventLoop loop;
  private final Random random = new Random(SEED);
  private final int clients;
  private final @Nullable SslContext tls;

  // Of the event loop.
  private int standing;
  private long attempts;
  private int losses;
  private long since = System.nanoTime();

  private IdleClients(
      InetSocketAddress address, int clients, EventLoopGroup group, @Nullable SslContext tls) {
    this.clients = clients;
    this.tls = tls;
    loop = group.next();
    bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(EpollSocketChannel.class)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
            .option(ChannelOption.TCP_NODELAY, true)
            .remoteAddress(address);
  }

  public static void main(String[] arguments) throws IOException {
    Options options = new Options(arguments);
    String[] address = options.text("address").split(":");
    Optional<String> certificate = options.optional("certificate");
    SslContext tls =
        certificate.isEmpty()
            ? null
            : SslContextBuilder.forClient()
                .sslProvider(SslProvider.OPENSSL)
                .protocols("TLSv1.3")
                .endpointIdentificationAlgorithm(null)
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .keyManager(new File(certificate.get()), new File(options.text("key")))
                .build();
    EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    int clients = options.number("clients");
    new IdleClients(
            new InetSocketAddress(address[0], Integer.parseInt(address[1])), clients, group, tls)
        .start(options.number("rate"), options.number("pause"));
  }

  private void start(int clientsPerSecond, int pauseSeconds) {
    System.out.println("ready");
    for (int i = 0; i < clients; i++) {
      int client = i;
      loop.schedule(
          () -> dial(client),
          TimeUnit.SECONDS.toNanos(pauseSeconds)
              + TimeUnit.SECONDS.toNanos(1) * i / clientsPerSecond,
          TimeUnit.NANOSECONDS);
    }
  }

  private void dial(int client) {
    attempts++;
    AtomicBoolean stands = new AtomicBoolean();
    Channel channel =
        bootstrap
            .clone()
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel made) {
                    if (tls != null) {
                      made.pipeline().addLast(tls.newHandler(made.alloc()));
                    }
                    made.pipeline()
                        .addLast(new MqttSubscription(client, () -> oneMoreStands(stands)));
                  }
                })
            .connect()
            .channel();
    channel
        .closeFuture()
        .addListener(
            closed -> {
              if (stands.get()) {
                oneLessStands();
              }
              loop.schedule(
                  () -> dial(client), random.nextInt(RETRY_MILLIS), TimeUnit.MILLISECONDS);
            });
  }

  private void oneMoreStands(AtomicBoolean stands) {
    stands.set(true);
    standing++;
    if (standing == clients) {
      double seconds = (System.nanoTime() - since) / 1e9;
      System.out.printf(
          Locale.ROOT,
          "{\"losses\":%d,\"clients\":%d,\"seconds\":%.3f,\"attempts\":%d}%n",
          losses,
          clients,
          seconds,
          attempts);
      attempts = 0;
    }
  }

  private void oneLessStands() {
    if (standing == clients) {
      since = System.nanoTime();
      losses++;
    }
    standing--;
  }
}
