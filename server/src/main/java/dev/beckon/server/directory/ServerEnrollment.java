package dev.beckon.server.directory;

import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.CodeEnrollment;
import dev.beckon.server.identity.Der;
import dev.beckon.server.identity.FleetCa;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/** Enrolls servers by their number. Thread-safe. */
public final class ServerEnrollment extends CodeEnrollment<Integer> {

  private final FleetCa ca;
  private final ApplicationServers servers;

  public ServerEnrollment(
      Database database,
      InstantSource clock,
      FleetCa ca,
      ApplicationServers servers,
      Supplier<Advertised> advertised) {
    super(
        database,
        clock,
        ca,
        ServerTable.INVITATIONS,
        advertised,
        "make a new code with \"beckon device add\" or, for a server, \"beckon app-server add\"");
    this.ca = ca;
    this.servers = servers;
  }

  @Override
  protected OptionalInt generation(Sql sql, Integer number) throws SQLException {
    Optional<ApplicationServer> server = ServerTable.find(sql, number);
    return server.stream().mapToInt(ApplicationServer::generation).findFirst();
  }

  @Override
  protected X509Certificate issue(PublicKey key, Integer number, int generation) {
    return ca.issueServerFor(key, number, generation);
  }

  @Override
  protected void enroll(Sql sql, Draft<Integer> draft, Instant now) throws SQLException {
    ServerTable.enroll(sql, draft.guest(), draft.generation(), now);
  }

  @Override
  protected void enrolled(Integer number, int generation) {
    servers.enrolled(number, generation);
  }

  @Override
  protected void complete(EnrollmentAnswer.Builder answer, Advertised here, Integer number) {
    answer.setServerNumber(number).addAllCertificateChain(Der.of(ca.chain()));
  }
}
