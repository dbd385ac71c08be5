package dev.beckon.server.peer;

import static dev.beckon.server.session.Until.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.peer.DirectoryPiece;
import dev.beckon.protocol.peer.PeerFrame;
import dev.beckon.protocol.peer.PeerFrame.KindCase;
import dev.beckon.protocol.peer.PeerRoots;
import dev.beckon.server.identity.Device;
import dev.beckon.server.session.FleetPki;
import dev.beckon.server.session.FrameDecoder;
import dev.beckon.server.session.FrameEncoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Connections of enrolled servers over real sockets; without TLS, which is not this part's. */
final class PeerServerTest {

  private static final X509Certificate CERTIFICATE = new FleetPki().device("any", 1).certificate();
  private static final int PIECE_BYTES = 32_768;

  private final Map<String, Integer> denied = new HashMap<>();
  private final PeerServer peers =
      new PeerServer(
          new Fleet(), Security.MUTUAL, Runnable::run, System::nanoTime, InstantSource.system());
  private final MultiThreadIoEventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
  private final LinkedBlockingQueue<KindCase> received = new LinkedBlockingQueue<>();
  private final CountDownLatch open = new CountDownLatch(1);
  private volatile boolean dropped;
  private Channel listening;

  /** A fleet with an application server 7. */
  private final class Fleet implements Rendezvous {
    @Override
    public void holds(int number, int generation, PeerRoots roots) {}

    @Override
    public boolean signed(X509Certificate certificate) {
      return !dropped && certificate.equals(CERTIFICATE);
    }

    @Override
    public PeerRoots rootsOfToday() {
      return PeerRoots.getDefaultInstance();
    }

    @Override
    public boolean admits(int number, int generation) {
      return true;
    }

    @Override
    public String nameOf(int number) {
      return "printing";
    }

    @Override
    public Optional<Device> device(DeviceId id) {
      return Optional.empty();
    }

    @Override
    public long wake(DeviceId id, int number, long deadlineMillis) {
      return 1;
    }

    @Override
    public void served(DeviceId id, int number) {}

    @Override
    public Map<String, Integer> denied() {
      return denied;
    }

    @Override
    public List<ByteString> certify(byte[] certificateRequest, int number, int generation) {
      return List.of();
    }

    @Override
    public List<ByteString> roots() {
      return List.of();
    }
  }

  @BeforeEach
  void listen() throws Exception {
    peers.use(
        new PeerDirectory() {
          @Override
          public void connected(int number, int version) {
            open.countDown();
          }
        });
    listening =
        new ServerBootstrap()
            .group(loops)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    peers.connected(channel.pipeline(), 7, 1, CERTIFICATE);
                  }
                })
            .bind(InetAddress.getLoopbackAddress(), 0)
            .sync()
            .channel();
  }

  @AfterEach
  void close() {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  /** Connects a server that says who it is, and does not read. */
  private Channel connectWithoutReading() throws Exception {
    Channel server = connect();
    server.writeAndFlush(PeerFrames.hello(7, 1, 0)).sync();
    assertThat(open.await(30, TimeUnit.SECONDS)).isTrue();
    return server;
  }

  private Channel connect() throws Exception {
    return new Bootstrap()
        .group(loops)
        .channel(NioSocketChannel.class)
        .option(ChannelOption.AUTO_READ, false)
        .option(ChannelOption.SO_RCVBUF, 65_536)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                channel
                    .pipeline()
                    .addLast(new FrameDecoder(PeerFrame.parser()), FrameEncoder.INSTANCE)
                    .addLast(
                        new ChannelInboundHandlerAdapter() {
                          @Override
                          public void channelRead(ChannelHandlerContext ctx, Object frame) {
                            received.add(((PeerFrame) frame).getKindCase());
                          }
                        });
              }
            })
        .connect(listening.localAddress())
        .sync()
        .channel();
  }

  private void send(int pieces) {
    PeerFrame piece =
        PeerFrame.newBuilder()
            .setDirectoryPiece(
                DirectoryPiece.newBuilder().setContent(ByteString.copyFrom(new byte[PIECE_BYTES])))
            .build();
    for (int i = 0; i < pieces; i++) {
      peers.send(7, piece);
    }
  }

  @Test
  void endsTheConnectionOfAServerThatDoesNotRead() throws Exception {
    connectWithoutReading();

    send((32 << 20) / PIECE_BYTES);

    until("cut", () -> peers.counters().ended(PeerEnd.TOO_SLOW) == 1);
    assertThat(peers.connected()).isEmpty();
  }

  @Test
  void endsAConnectionWhoseRootWasDropped() throws Exception {
    Channel server = connectWithoutReading();
    peers.rootsChanged();
    send(1);
    assertThat(peers.connected()).as("its root still counts").containsExactly(7);
    dropped = true;

    peers.rootsChanged();

    until("ended", () -> peers.counters().ended(PeerEnd.ROOT_DROPPED) == 1);
    assertThat(peers.connected()).isEmpty();
    server.config().setAutoRead(true);
    assertThat(server.closeFuture().await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(received).contains(KindCase.BYE);
  }

  /** Its handshake was over in time, its connection was not known yet. */
  @Test
  void admitsNobodyWhoseRootWasDroppedSinceItsHandshake() throws Exception {
    dropped = true;

    connect().writeAndFlush(PeerFrames.hello(7, 1, 0));

    until("ended", () -> peers.counters().ended(PeerEnd.ROOT_DROPPED) == 1);
    assertThat(peers.counters().opened()).isZero();
  }

  @Test
  void givesAServerTimeForADenyListOfAnyLength() throws Exception {
    for (int i = 0; i < 300_000; i++) { // over 20 MB
      denied.put("device-" + "x".repeat(50) + i, 2);
    }
    Channel server = connectWithoutReading();
    send(1);

    server.config().setAutoRead(true);

    KindCase kind = KindCase.KIND_NOT_SET;
    while (kind != KindCase.DIRECTORY_PIECE) {
      kind = received.poll(30, TimeUnit.SECONDS);
      assertThat(kind).isNotNull().isNotEqualTo(KindCase.BYE);
    }
    assertThat(peers.connected()).containsExactly(7);
  }
}
