/*
 * A yardstick: how many keepalives a second one core can serve in bare C. It does for each what
 * Beckon's server does (docs/PROTOCOL.md, section 3.1): parse, derive the device's key, check the
 * integrity, find one of many rows, check sequence and path token, update the row, answer.
 *
 * What it leaves out: everything else. It knows no revoked devices, sends no wakes, takes IPv4 only,
 * and its rows are plain memory that dies with the process (no file, no journal, no growth).
 *
 * What a C programmer would do for speed is done: SHA-256 with the CPU's instructions, HMAC
 * midstates of the master keys computed once, datagrams in batches of 64 both ways, the rows of a
 * batch fetched ahead, huge pages where the kernel has them.
 *
 *   keepalive-server --keys master.keys [--address 127.0.0.1] [--port 0] [--rows 10000000] [--cpu N]
 *                    [--devices N --sources N --source-port PORT]
 *
 * With --devices it knows that many devices of ./beckon simulate --known, with the same options, from the start.
 *
 * Prints "ready udp=ADDRESS:PORT" when it can take traffic, and its counters as JSON on SIGINT or
 * SIGTERM. Built by bench/c/build.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef __SHA__
#include <immintrin.h>
#else
#define OPENSSL_SUPPRESS_DEPRECATED /* the one call that gives access to the bare compression */
#include <openssl/sha.h>
#endif

/* --- Bytes --------------------------------------------------------------------------------- */

static inline uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static inline uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

static inline uint64_t get64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return __builtin_bswap64(value);
}

static inline uint64_t get48(const uint8_t *at) { return (uint64_t)get16(at) << 32 | get32(at + 2); }

static inline void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value) {
  value = __builtin_bswap32(value);
  memcpy(at, &value, 4);
}

static inline void put64(uint8_t *at, uint64_t value) {
  value = __builtin_bswap64(value);
  memcpy(at, &value, 8);
}

static inline void put48(uint8_t *at, uint64_t value) {
  put16(at, (uint32_t)(value >> 32));
  put32(at + 2, (uint32_t)value);
}

/* --- SHA-256 (FIPS 180-4): the state between two blocks, in the order the CPU wants it --------- */

enum { BLOCK = 64, HASH = 32 };

static const uint32_t INITIAL[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

#ifdef __SHA__

typedef struct {
  __m128i abef;
  __m128i cdgh;
} Sha;

static const uint32_t ROUND[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static Sha sha_start(void) {
  const int *h = (const int *)INITIAL;
  return (Sha){_mm_set_epi32(h[0], h[1], h[4], h[5]), _mm_set_epi32(h[2], h[3], h[6], h[7])};
}

static inline void sha_block(Sha *sha, const uint8_t *block) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  __m128i w[4], abef = sha->abef, cdgh = sha->cdgh;
  for (int i = 0; i < 4; i++) {
    w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), big_endian);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) { /* four rounds each; w holds the last 16 words of the schedule */
    __m128i words = w[i & 3];
    if (i >= 4) {
      words = _mm_sha256msg1_epu32(words, w[(i + 1) & 3]);
      words = _mm_add_epi32(words, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
      words = _mm_sha256msg2_epu32(words, w[(i + 3) & 3]);
      w[i & 3] = words;
    }
    words = _mm_add_epi32(words, _mm_load_si128((const __m128i *)(ROUND + 4 * i)));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0E));
  }
  sha->abef = _mm_add_epi32(sha->abef, abef);
  sha->cdgh = _mm_add_epi32(sha->cdgh, cdgh);
}

static inline void sha_bytes(const Sha *sha, uint8_t *out) {
  const __m128i reversed_halves = _mm_set_epi64x(0x08090a0b0c0d0e0fLL, 0x0001020304050607LL);
  __m128i abcd = _mm_unpackhi_epi64(sha->abef, sha->cdgh);
  __m128i efgh = _mm_unpacklo_epi64(sha->abef, sha->cdgh);
  _mm_storeu_si128((__m128i *)out, _mm_shuffle_epi8(abcd, reversed_halves));
  _mm_storeu_si128((__m128i *)(out + 16), _mm_shuffle_epi8(efgh, reversed_halves));
}

#else

typedef struct {
  SHA256_CTX context;
} Sha;

static Sha sha_start(void) {
  Sha sha;
  memset(&sha, 0, sizeof sha);
  memcpy(sha.context.h, INITIAL, sizeof INITIAL);
  return sha;
}

static inline void sha_block(Sha *sha, const uint8_t *block) { SHA256_Transform(&sha->context, block); }

static inline void sha_bytes(const Sha *sha, uint8_t *out) {
  for (int i = 0; i < 8; i++) {
    put32(out + 4 * i, sha->context.h[i]);
  }
}

#endif

/* --- HMAC-SHA256 (RFC 2104) ---------------------------------------------------------------- */

/* A key, as what is left to do with it: the states behind the two padded key blocks. */
typedef struct {
  Sha inner;
  Sha outer;
} HmacKey;

static inline HmacKey hmac_key(const uint8_t key[HASH]) {
  uint8_t inner[BLOCK], outer[BLOCK];
  for (int i = 0; i < HASH; i++) {
    inner[i] = key[i] ^ 0x36;
    outer[i] = key[i] ^ 0x5C;
  }
  memset(inner + HASH, 0x36, BLOCK - HASH);
  memset(outer + HASH, 0x5C, BLOCK - HASH);
  HmacKey made = {sha_start(), sha_start()};
  sha_block(&made.inner, inner);
  sha_block(&made.outer, outer);
  return made;
}

static inline void hmac(const HmacKey *key, const uint8_t *bytes, size_t length, uint8_t out[HASH]) {
  uint8_t last[2 * BLOCK] __attribute__((aligned(16)));
  Sha sha = key->inner;
  size_t left = length;
  for (; left >= BLOCK; left -= BLOCK, bytes += BLOCK) {
    sha_block(&sha, bytes);
  }
  size_t padded = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
  memset(last, 0, sizeof last);
  memcpy(last, bytes, left);
  last[left] = 0x80;
  put64(last + padded - 8, (BLOCK + length) * 8);
  sha_block(&sha, last);
  if (padded > BLOCK) {
    sha_block(&sha, last + BLOCK);
  }
  memset(last + HASH, 0, BLOCK - HASH);
  sha_bytes(&sha, last);
  last[HASH] = 0x80;
  put64(last + BLOCK - 8, (BLOCK + HASH) * 8);
  sha = key->outer;
  sha_block(&sha, last);
  sha_bytes(&sha, out);
}

/* --- SipHash-2-4 --------------------------------------------------------------------------- */

typedef struct {
  uint64_t k0;
  uint64_t k1;
} SipKey;

#define ROTATED(x, bits) ((x) << (bits) | (x) >> (64 - (bits)))
#define SIP_ROUND                                   \
  do {                                              \
    v0 += v1, v1 = ROTATED(v1, 13) ^ v0;            \
    v2 += v3, v3 = ROTATED(v3, 16) ^ v2;            \
    v0 = ROTATED(v0, 32);                           \
    v2 += v1, v1 = ROTATED(v1, 17) ^ v2;            \
    v0 += v3, v3 = ROTATED(v3, 21) ^ v0;            \
    v2 = ROTATED(v2, 32);                           \
  } while (0)

static inline uint64_t siphash(SipKey key, const uint8_t *bytes, size_t length) {
  uint64_t v0 = key.k0 ^ 0x736f6d6570736575, v1 = key.k1 ^ 0x646f72616e646f6d;
  uint64_t v2 = key.k0 ^ 0x6c7967656e657261, v3 = key.k1 ^ 0x7465646279746573;
  uint64_t word;
  size_t left = length;
  for (; left >= 8; left -= 8, bytes += 8) {
    memcpy(&word, bytes, 8);
    v3 ^= word;
    SIP_ROUND;
    SIP_ROUND;
    v0 ^= word;
  }
  word = (uint64_t)length << 56;
  for (size_t i = 0; i < left; i++) {
    word |= (uint64_t)bytes[i] << (8 * i);
  }
  v3 ^= word;
  SIP_ROUND;
  SIP_ROUND;
  v0 ^= word;
  v2 ^= 0xFF;
  SIP_ROUND;
  SIP_ROUND;
  SIP_ROUND;
  SIP_ROUND;
  return v0 ^ v1 ^ v2 ^ v3;
}

/* --- Keys: the file that the server's data folder holds -------------------------------------- */

static HmacKey master_keys[256];
static bool master_key_is_live[256];
static SipKey table_key;
static SipKey path_token_key;

static void fail(const char *what, const char *value, const char *expected) {
  fprintf(stderr, "keepalive-server: %s: %s (expected %s)\n", what, value, expected);
  exit(2);
}

static bool unhex(const char *text, uint8_t *out, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    unsigned value;
    if (sscanf(text + 2 * i, "%2x", &value) != 1) {
      return false;
    }
    out[i] = (uint8_t)value;
  }
  return true;
}

static SipKey sip_key(const uint8_t *bytes) {
  SipKey key;
  memcpy(&key.k0, bytes, 8); /* little-endian, as this program's machines are */
  memcpy(&key.k1, bytes + 8, 8);
  return key;
}

static void read_keys(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) {
    fail("--keys", path, "the master.keys of a data folder of ./beckon serve");
  }
  char name[32], value[80];
  uint8_t bytes[HASH];
  int found = 0;
  while (fscanf(file, "%31s = %79s", name, value) == 2) {
    unsigned id;
    if (sscanf(name, "key.%u", &id) == 1 && id < 256 && strlen(value) == 64 && unhex(value, bytes, 32)) {
      master_keys[id] = hmac_key(bytes);
      master_key_is_live[id] = true;
      found |= 1;
    } else if (!strcmp(name, "table-key") && strlen(value) == 32 && unhex(value, bytes, 16)) {
      table_key = sip_key(bytes);
      found |= 2;
    } else if (!strcmp(name, "path-token-key") && strlen(value) == 32 && unhex(value, bytes, 16)) {
      path_token_key = sip_key(bytes);
      found |= 4;
    }
  }
  fclose(file);
  if (found != 7) {
    fail("--keys", path, "a file with key.N, table-key and path-token-key");
  }
}

/* --- Rows: the layout of the server's RowTable, in 8-byte words ------------------------------- */

enum { TAG, SEQUENCE, ADDRESS_HIGH, ADDRESS_LOW, PLACE, CHECKSUM, SPARE_1, SPARE_2, WORDS };

typedef struct {
  uint64_t word[WORDS];
} __attribute__((aligned(64))) Row;

static Row *rows;
static uint64_t capacity;

static void allocate_rows(uint64_t count) {
  capacity = count / 3 * 4 + 64; /* three quarters full: a search ends after 2.5 rows */
  size_t bytes = (capacity * sizeof(Row) + (2 << 20) - 1) & ~(size_t)((2 << 20) - 1);
  rows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (rows == MAP_FAILED) {
    fail("--rows", strerror(errno), "fewer rows, or more memory");
  }
  madvise(rows, bytes, MADV_HUGEPAGE); /* where there are none, small ones do */
  memset(rows, 0, bytes);              /* page faults now, not while it is measured */
}

/* As the server's: any single changed word changes it. */
static inline uint32_t checksum(const Row *row) {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < WORDS; i++) {
    uint64_t word = row->word[i];
    if (i == CHECKSUM) {
      word &= ~0xFFFFFFFFULL;
    }
    sum += (word ^ word >> 32) * (0x9E3779B97F4A7C15ULL + 2 * i * 0x632BE59BD9B4E019ULL);
  }
  uint64_t mixed = (sum ^ sum >> 29) * 0xBF58476D1CE4E5B9ULL;
  return (uint32_t)((mixed ^ mixed >> 32) >> 32);
}

static inline uint64_t place_of(uint64_t tag) { return (uint64_t)((unsigned __int128)tag * capacity >> 64); }

/* The row, or the empty one where it belongs; NULL if there is neither. */
static inline Row *find(uint64_t tag) {
  uint64_t at = place_of(tag);
  for (uint64_t seen = 0; seen < capacity; seen++) {
    if (rows[at].word[TAG] == tag || rows[at].word[TAG] == 0) {
      return rows + at;
    }
    if (++at == capacity) {
      at = 0;
    }
  }
  return NULL;
}

/* --- Datagrams ------------------------------------------------------------------------------ */

enum {
  MAX_BYTES = 548,
  MIN_REQUEST_BYTES = 92,
  HEADER_BYTES = 20,
  ANSWER_BYTES = 80,
  COOKIE = 0x2112A442,
  REQUEST = 0x0001,
  INDICATION = 0x0011,
  ANSWER = 0x0101,
  FLAG_STALE = 1,
  FLAG_UNPROVEN = 2,
  EPOCH_MILLIS = 120000
};

typedef struct { /* where the fields stand; 0 = nowhere */
  uint16_t type;
  uint16_t id, id_length;
  uint16_t key, sequence, token, integrity;
  uint64_t tag;
} Keepalive;

static bool is_id_character[256];
static uint32_t crc_table[256];

static void make_tables(void) {
  for (const char *c = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"; *c; c++) {
    is_id_character[(uint8_t)*c] = true;
  }
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) {
      crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    crc_table[i] = crc;
  }
}

static uint32_t fingerprint_of(const uint8_t *bytes, size_t length) {
  uint32_t crc = ~0U;
  for (size_t i = 0; i < length; i++) {
    crc = crc >> 8 ^ crc_table[(crc ^ bytes[i]) & 0xFF];
  }
  return ~crc ^ 0x5354554E;
}

static inline bool is_device_id(const uint8_t *id, uint32_t length) {
  bool good = length >= 1 && length <= 64;
  for (uint32_t i = 0; good && i < length; i++) {
    good = is_id_character[id[i]];
  }
  return good;
}

/* Whether the attribute stands here for the first time, with this length. */
static inline bool once(uint16_t *field, uint32_t at, uint32_t length, uint32_t expected) {
  bool good = *field == 0 && length == expected;
  *field = (uint16_t)at;
  return good;
}

/* Whether this is a well-formed keepalive; everything else a server gets is not looked at. */
static bool parse(const uint8_t *bytes, uint32_t length, Keepalive *found) {
  memset(found, 0, sizeof *found);
  if (length < HEADER_BYTES || length > MAX_BYTES || (length & 3) || get32(bytes + 4) != COOKIE ||
      get16(bytes + 2) != length - HEADER_BYTES) {
    return false;
  }
  found->type = get16(bytes);
  if (found->type != REQUEST && found->type != INDICATION) {
    return false;
  }
  bool fingerprint = false;
  uint16_t filler = 0, status = 0, wake_id = 0, wake = 0;
  for (uint32_t at = HEADER_BYTES; at < length;) {
    uint32_t type = get16(bytes + at), value_length = get16(bytes + at + 2), value = at + 4;
    uint32_t end = value + ((value_length + 3) & ~3U);
    if (end > length || fingerprint || (found->integrity && type != 0x8028)) {
      return false;
    }
    bool good = true;
    switch (type) {
      case 0x0006:
        good = once(&found->id, value, value_length, value_length) && is_device_id(bytes + value, value_length);
        found->id_length = (uint16_t)value_length;
        break;
      case 0x001C: good = once(&found->integrity, value, value_length, 16); break;
      case 0xCB01: good = once(&found->key, value, value_length, 4); break;
      case 0xCB02: good = once(&found->sequence, value, value_length, 6); break;
      case 0xCB03: good = once(&found->token, value, value_length, 8); break;
      case 0xCB04: good = once(&status, value, value_length, 12); break;
      case 0xCB05: good = once(&wake_id, value, value_length, 8); break;
      case 0xCB06: good = once(&wake, value, value_length, 12); break;
      case 0xCB07: good = once(&filler, value, value_length, value_length); break;
      case 0x8028:
        good = value_length == 4 && get32(bytes + value) == fingerprint_of(bytes, at);
        fingerprint = true;
        break;
      default: good = type >= 0x8000; /* all others below are either unknown or of no keepalive */
    }
    if (!good) {
      return false;
    }
    at = end;
  }
  return found->id && found->key && found->sequence && found->token && found->integrity &&
         bytes[found->key + 1] != 0 && (found->type == INDICATION || length >= MIN_REQUEST_BYTES);
}

static inline uint64_t path_token(uint64_t tag, uint64_t low, uint16_t port, uint64_t epoch) {
  uint8_t input[34];
  put64(input, tag);
  put64(input + 8, 0);
  put64(input + 16, low);
  put16(input + 24, port);
  put64(input + 26, epoch);
  uint64_t token = siphash(path_token_key, input, sizeof input);
  return token ? token : 1;
}

static struct {
  uint64_t received, malformed, not_authentic, accepted, repeated, stale, unproven, no_room, answered,
      send_failures;
} counters;

/* The device's key, and whether the integrity is right under it. */
static inline bool authenticate(uint8_t *bytes, const Keepalive *k, HmacKey *device_key) {
  static const char label[] = "beckon/1 device key";
  enum { LABEL = sizeof label - 1 };
  uint8_t input[LABEL + 64 + 2], hash[HASH];
  if (!master_key_is_live[bytes[k->key]]) {
    return false;
  }
  memcpy(input, label, LABEL);
  memcpy(input + LABEL, bytes + k->id, k->id_length);
  memcpy(input + LABEL + k->id_length, bytes + k->key + 2, 2);
  hmac(&master_keys[bytes[k->key]], input, LABEL + k->id_length + 2U, hash);
  *device_key = hmac_key(hash);

  put16(bytes + 2, k->integrity + 16U - HEADER_BYTES); /* a FINGERPRINT behind it does not count */
  hmac(device_key, bytes, k->integrity - 4U, hash);
  uint8_t difference = 0;
  for (int i = 0; i < 16; i++) {
    difference |= hash[i] ^ bytes[k->integrity + i];
  }
  return difference == 0;
}

/* The flags of the answer; for a stale one the sequence that the row holds. */
static inline int update(const uint8_t *bytes, const Keepalive *k, uint64_t low, uint16_t port,
                         uint64_t now_millis, uint64_t *last_sequence) {
  uint64_t sequence = get48(bytes + k->sequence);
  Row *row = find(k->tag);
  bool known = row && row->word[TAG] && (uint32_t)row->word[CHECKSUM] == checksum(row);
  if (known) {
    *last_sequence = row->word[SEQUENCE] >> 16;
    if (sequence < *last_sequence) {
      counters.stale++;
      return FLAG_STALE;
    }
  }
  bool proven = known && row->word[ADDRESS_LOW] == low && row->word[ADDRESS_HIGH] == 0 &&
                row->word[PLACE] >> 48 == port;
  if (!proven) {
    uint64_t token = get64(bytes + k->token), epoch = now_millis / EPOCH_MILLIS;
    proven = token && (token == path_token(k->tag, low, port, epoch) ||
                       token == path_token(k->tag, low, port, epoch - 1));
  }
  if (!proven) {
    counters.unproven++;
    return FLAG_UNPROVEN;
  }
  if (known && sequence == *last_sequence) {
    counters.repeated++;
    return 0;
  }
  counters.accepted++;
  if (!row) {
    counters.no_room++;
    return 0;
  }
  uint64_t flags = known ? row->word[CHECKSUM] >> 48 & 0xFF : 0;
  row->word[TAG] = k->tag;
  row->word[SEQUENCE] = sequence << 16 | (uint64_t)bytes[k->key] << 8;
  row->word[ADDRESS_HIGH] = 0;
  row->word[ADDRESS_LOW] = low;
  row->word[PLACE] = (uint64_t)port << 48 | (uint64_t)get16(bytes + k->key + 2) << 32 |
                     (uint32_t)(now_millis / 1000);
  row->word[CHECKSUM] = (uint64_t)bytes[k->key + 1] << 56 | flags << 48;
  row->word[SPARE_1] = row->word[SPARE_2] = 0;
  row->word[CHECKSUM] |= checksum(row);
  return 0;
}

/*
 * As if the simulated devices had proven their addresses: blocks of 64 take turns on the sources, and
 * those on 16 loopback addresses.
 */
static void know_devices(uint32_t count, uint32_t sources, uint32_t first_port) {
  for (uint32_t device = 0; device < count; device++) {
    char id[16];
    int length = snprintf(id, sizeof id, "sim-%08u", device);
    uint64_t tag = siphash(table_key, (const uint8_t *)id, (size_t)length);
    Row *row = find(tag ? tag : 1);
    if (!row) {
      fail("--devices", "more than there are rows", "--rows to be as many");
    }
    row->word[TAG] = tag ? tag : 1;
    row->word[SEQUENCE] = 1ULL << 8;
    uint32_t source = device / 64 % sources;
    row->word[ADDRESS_LOW] = 0xFFFF00000000ULL | (INADDR_LOOPBACK + source % 16);
    row->word[PLACE] = (uint64_t)(first_port + source / 16) << 48 | 1ULL << 32;
    row->word[CHECKSUM] = 60ULL << 56;
    row->word[CHECKSUM] |= checksum(row);
  }
}

static inline uint8_t *attribute(uint8_t *at, uint32_t type, uint32_t length) {
  put16(at, type);
  put16(at + 2, length);
  return at + 4;
}

static inline void write_answer(uint8_t *out, const uint8_t *request, const Keepalive *k, int flags,
                                uint64_t last_sequence, uint64_t low, uint16_t port, uint64_t now_millis,
                                const HmacKey *device_key) {
  uint8_t hash[HASH];
  put16(out, ANSWER);
  put16(out + 2, ANSWER_BYTES - HEADER_BYTES);
  memcpy(out + 4, request + 4, 16); /* cookie and transaction ID */
  uint8_t *value = attribute(out + 20, 0x0020, 8);
  put16(value, 1); /* IPv4 */
  put16(value + 2, port ^ (COOKIE >> 16));
  put32(value + 4, (uint32_t)low ^ COOKIE);
  value = attribute(out + 32, 0xCB04, 12);
  put16(value, (uint32_t)flags);
  put48(value + 2, now_millis);
  put32(value + 8, 0);
  if (flags & FLAG_STALE) {
    value = attribute(out + 48, 0xCB02, 6);
    put48(value, last_sequence);
    put16(value + 6, 0);
  } else {
    put64(attribute(out + 48, 0xCB03, 8), path_token(k->tag, low, port, now_millis / EPOCH_MILLIS));
  }
  value = attribute(out + 60, 0x001C, 16);
  hmac(device_key, out, 60, hash);
  memcpy(value, hash, 16);
}

/* --- The socket ------------------------------------------------------------------------------ */

enum { BATCH = 64 };

static uint8_t received[BATCH][MAX_BYTES + 1 + 27]; /* + 1: what is longer shows; 27: to 64 bytes */
static uint8_t answers[BATCH][128];
static struct sockaddr_in senders[BATCH], receivers[BATCH];
static struct iovec received_parts[BATCH], answer_parts[BATCH];
static struct mmsghdr received_messages[BATCH], answer_messages[BATCH];
static volatile sig_atomic_t ended;

static void end(int signal_number) {
  (void)signal_number;
  ended = 1;
}

static void prepare_messages(void) {
  for (int i = 0; i < BATCH; i++) {
    received_parts[i] = (struct iovec){received[i], MAX_BYTES + 1};
    received_messages[i].msg_hdr = (struct msghdr){
        .msg_name = &senders[i], .msg_namelen = sizeof senders[i], .msg_iov = &received_parts[i], .msg_iovlen = 1};
    answer_parts[i] = (struct iovec){answers[i], ANSWER_BYTES};
    answer_messages[i].msg_hdr = (struct msghdr){.msg_name = &receivers[i],
                                                 .msg_namelen = sizeof receivers[i],
                                                 .msg_iov = &answer_parts[i],
                                                 .msg_iovlen = 1};
  }
}

static void send_answers(int descriptor, int count) {
  for (int done = 0; done < count;) {
    int sent = sendmmsg(descriptor, answer_messages + done, (unsigned)(count - done), 0);
    if (sent > 0) {
      counters.answered += (uint64_t)sent;
      done += sent;
    } else if (errno != EINTR) {
      counters.send_failures++; /* no route, buffer full: the others go */
      done++;
    }
  }
}

static void serve(int descriptor) {
  Keepalive keepalives[BATCH];
  bool good[BATCH];
  while (!ended) {
    int count = recvmmsg(descriptor, received_messages, BATCH, MSG_WAITFORONE, NULL);
    if (count <= 0) {
      continue; /* a signal; or an ICMP error, which changes nothing */
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_millis = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    counters.received += (uint64_t)count;
    for (int i = 0; i < count; i++) {
      received_messages[i].msg_hdr.msg_namelen = sizeof senders[i];
      good[i] = parse(received[i], received_messages[i].msg_len, &keepalives[i]);
      if (good[i]) {
        uint64_t tag = siphash(table_key, received[i] + keepalives[i].id, keepalives[i].id_length);
        keepalives[i].tag = tag ? tag : 1;
        __builtin_prefetch(rows + place_of(keepalives[i].tag), 1);
      }
    }
    int answered = 0;
    for (int i = 0; i < count; i++) {
      HmacKey device_key;
      uint64_t last_sequence = 0;
      if (!good[i]) {
        counters.malformed++;
        continue;
      }
      if (!authenticate(received[i], &keepalives[i], &device_key)) {
        counters.not_authentic++;
        continue;
      }
      uint64_t low = 0xFFFF00000000ULL | ntohl(senders[i].sin_addr.s_addr);
      uint16_t port = ntohs(senders[i].sin_port);
      int flags = update(received[i], &keepalives[i], low, port, now_millis, &last_sequence);
      if (keepalives[i].type == REQUEST) {
        write_answer(answers[answered], received[i], &keepalives[i], flags, last_sequence, low, port,
                     now_millis, &device_key);
        receivers[answered++] = senders[i];
      }
    }
    if (answered > 0) {
      send_answers(descriptor, answered);
    }
  }
}

static int bind_socket(const char *address, int port, char *bound, size_t room) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, address, &name.sin_addr) != 1) {
    fail("--address", address, "an IPv4 address of this host");
  }
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int receive_room = 16 << 20, send_room = 4 << 20; /* as the server asks for */
  struct timeval second = {1, 0};                   /* a signal may come just before the call that it is to end */
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_room, sizeof receive_room);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &send_room, sizeof send_room);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  if (bind(descriptor, (struct sockaddr *)&name, sizeof name)) {
    fail("--port", strerror(errno), "a free port, or 0");
  }
  socklen_t length = sizeof name;
  getsockname(descriptor, (struct sockaddr *)&name, &length);
  snprintf(bound, room, "%s:%d", address, ntohs(name.sin_port));
  return descriptor;
}

/* A wrong hash would look like a very fast server that drops everything. RFC 4231, test case 2. */
static void check_hmac(void) {
  static const uint8_t expected[4] = {0x5b, 0xdc, 0xc1, 0x46};
  uint8_t key[HASH] = "Jefe", hash[HASH];
  const HmacKey made = hmac_key(key);
  hmac(&made, (const uint8_t *)"what do ya want for nothing?", 28, hash);
  if (memcmp(hash, expected, sizeof expected)) {
    fail("HMAC-SHA256", "another result than in RFC 4231", "a build for this very CPU: bench/c/build");
  }
}

static long number(const char *option, const char *value, long most) {
  char *end_of_number;
  long parsed = strtol(value, &end_of_number, 10);
  if (*end_of_number || parsed < 0 || parsed > most) {
    fail(option, value, "a number");
  }
  return parsed;
}

int main(int count, char **arguments) {
  const char *keys = NULL, *address = "127.0.0.1";
  long port = 0, row_count = 10000000, cpu = -1, devices = 0, sources = 1, source_port = 0;
  for (int i = 1; i < count; i += 2) {
    const char *option = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
    if (!strcmp(option, "--keys")) {
      keys = value;
    } else if (!strcmp(option, "--address")) {
      address = value;
    } else if (!strcmp(option, "--port")) {
      port = number(option, value, 65535);
    } else if (!strcmp(option, "--rows")) {
      row_count = number(option, value, 1000000000);
    } else if (!strcmp(option, "--cpu")) {
      cpu = number(option, value, 1023);
    } else if (!strcmp(option, "--devices")) {
      devices = number(option, value, 100000000);
    } else if (!strcmp(option, "--sources")) {
      sources = number(option, value, 16384);
    } else if (!strcmp(option, "--source-port")) {
      source_port = number(option, value, 65535);
    } else {
      fail("option", option, "one of those in the first comment of bench/c/keepalive-server.c");
    }
  }
  if (!keys) {
    fail("--keys", "missing", "the master.keys of a data folder of ./beckon serve");
  }
  if (cpu >= 0) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET((size_t)cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus)) {
      fail("--cpu", strerror(errno), "the number of a core of this machine");
    }
  }
  check_hmac();
  make_tables();
  read_keys(keys);
  allocate_rows((uint64_t)row_count);
  know_devices((uint32_t)devices, (uint32_t)sources, (uint32_t)source_port);
  prepare_messages();
  struct sigaction on_end = {.sa_handler = end}; /* without SA_RESTART: recvmmsg returns */
  sigaction(SIGINT, &on_end, NULL);
  sigaction(SIGTERM, &on_end, NULL);
  char bound[64];
  int descriptor = bind_socket(address, (int)port, bound, sizeof bound);
  printf("ready udp=%s\n", bound);
  fflush(stdout);
  serve(descriptor);

  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"received\":%lu,\"accepted\":%lu,\"repeated\":%lu,\"stale\":%lu,\"unproven\":%lu,"
         "\"malformed\":%lu,\"notAuthentic\":%lu,\"noRoom\":%lu,\"answered\":%lu,\"sendFailures\":%lu,"
         "\"cpuMillis\":%ld}\n",
         counters.received, counters.accepted, counters.repeated, counters.stale, counters.unproven,
         counters.malformed, counters.not_authentic, counters.no_room, counters.answered,
         counters.send_failures,
         (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
             (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
  return 0;
}
