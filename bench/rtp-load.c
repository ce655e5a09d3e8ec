// Plays and hears many G.711 streams from one thread; driven by rtp-load.ts, which compiles it.
//
//   rtp-load LEGS             binds a UDP port for each leg and says `ports P0 P1 ...`, then obeys lines on stdin:
//   send LEG ADDRESS PORT     plays 50 packets of PCMU a second from that leg to the address
//   measure MILLISECONDS FILE soon writes down every packet of the next time (and GRACE_MS more), then says `measured`
//
// Arrival is the kernel's stamp, put on when the server sends over loopback: a late generator does not blur it. So
// sockets are read only now and then, and servers never wait for their listener. FILE holds `struct record`s.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  PCMU = 0,
  FRAME_SAMPLES = 160,
  RTP_HEADER = 12,
  MARK_BYTES = 12,
  SLOTS = 20,
  READ_EVERY = 5,
  BATCH = 32,
  MAX_LEGS = 4000,
  MAX_PACKET = 1500,
  GRACE_MS = 500,
  READY_EACH_TURN = 64 * 4096,
};
static const int64_t MS = 1000000, FRAME_NS = 20 * 1000000;
static const uint32_t NOBODY = 0xffffffff;
enum { SENT = 1, HEARD = 2 };

// Times are milliseconds since the measurement began.
struct record {
  uint32_t kind, leg, timestamp, source, index, payload_type;
  double at_ms, due_ms;
};

struct leg {
  int socket, sending, turns;
  struct sockaddr_in to;
  uint32_t ssrc, timestamp, index;
  uint16_t sequence;
  int64_t due;
  // The end of what was heard last: a server that stretches sound in time may lay a mark across two packets.
  uint8_t heard_end[MARK_BYTES - 1];
};

static struct leg legs[MAX_LEGS];
static uint32_t leg_count;
static uint8_t tone[FRAME_SAMPLES];
static struct record *records;
static size_t record_count, record_limit;
// 0 while the memory for what is written down is being made ready.
static int64_t began, window_ns;
static size_t ready_bytes;
static char file_name[1024];

static void fail(const char *what) {
  fprintf(stderr, "rtp-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// ITU-T G.711, mu-law.
static uint8_t ulaw(int sample) {
  int sign = sample < 0 ? 0 : 0x80, magnitude = abs(sample) + 132, exponent = 7;
  for (int bit = 0x4000; exponent > 0 && !(magnitude & bit); bit >>= 1) exponent--;
  return (uint8_t)((sign | 0x70 | 0x0f) ^ ((exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)));
}

// A mark says whose packet it is, and which: 0x80-0xbf only, values that a decoder and an encoder give back unchanged.
static const uint8_t SYNC[4] = {0x80, 0xbf, 0x81, 0xbe};

static void write_mark(uint8_t *to, uint32_t source, uint32_t index) {
  memcpy(to, SYNC, sizeof SYNC);
  to[4] = 0x80 | ((source >> 6) & 63);
  to[5] = 0x80 | (source & 63);
  for (int i = 0; i < 4; i++) to[6 + i] = 0x80 | ((index >> (18 - 6 * i)) & 63);
  // Twelve bits: a mark that concealment has bent must not pass for somebody else's.
  uint32_t sum = 0;
  for (int i = 4; i < 10; i++) sum = sum * 37 + (to[i] & 63);
  to[10] = 0x80 | ((sum >> 6) & 63);
  to[11] = 0x80 | (sum & 63);
}

static void read_mark(const uint8_t *sound, size_t length, struct record *record) {
  for (size_t at = 0; at + MARK_BYTES <= length; at++) {
    const uint8_t *mark = sound + at;
    if (memcmp(mark, SYNC, sizeof SYNC) != 0) continue;
    uint8_t expected[MARK_BYTES];
    record->source = (uint32_t)(mark[4] & 63) << 6 | (mark[5] & 63);
    record->index = 0;
    for (int i = 0; i < 4; i++) record->index = record->index << 6 | (mark[6 + i] & 63);
    write_mark(expected, record->source, record->index);
    if (memcmp(mark, expected, MARK_BYTES) == 0) return;
  }
  record->source = record->index = NOBODY;
}

static void read_sound(struct leg *leg, const uint8_t *payload, size_t length, struct record *record) {
  uint8_t sound[MARK_BYTES - 1 + MAX_PACKET];
  memcpy(sound, leg->heard_end, sizeof leg->heard_end);
  memcpy(sound + sizeof leg->heard_end, payload, length);
  read_mark(sound, sizeof leg->heard_end + length, record);
  memcpy(leg->heard_end, sound + length, sizeof leg->heard_end);
}

static void note(struct record record, int64_t at, int64_t due) {
  if (records == NULL || began == 0 || at < began) return;
  if (record_count == record_limit) {
    fprintf(stderr, "rtp-load: more than %zu packets in one measurement\n", record_limit);
    exit(1);
  }
  record.at_ms = (double)(at - began) / (double)MS;
  record.due_ms = (double)(due - began) / (double)MS;
  records[record_count++] = record;
}

static void send_frame(uint32_t number) {
  struct leg *leg = &legs[number];
  uint8_t packet[RTP_HEADER + FRAME_SAMPLES] = {0x80, leg->index == 0 ? 0x80 : 0};
  uint16_t sequence = htons(leg->sequence);
  uint32_t timestamp = htonl(leg->timestamp), ssrc = htonl(leg->ssrc);
  memcpy(packet + 2, &sequence, 2);
  memcpy(packet + 4, &timestamp, 4);
  memcpy(packet + 8, &ssrc, 4);
  memcpy(packet + RTP_HEADER, tone, FRAME_SAMPLES);
  write_mark(packet + RTP_HEADER, number, leg->index);
  int64_t at = now_ns();
  // A refused port shows as loss at the other end.
  (void)!sendto(leg->socket, packet, sizeof packet, 0, (struct sockaddr *)&leg->to, sizeof leg->to);
  note((struct record){.kind = SENT, .leg = number, .timestamp = leg->timestamp, .source = number, .index = leg->index},
       at, leg->due);
  leg->sequence++;
  leg->index++;
  leg->timestamp += FRAME_SAMPLES;
  leg->due += FRAME_NS;
}

static void hear(uint32_t number) {
  static uint8_t packets[BATCH][MAX_PACKET];
  static union { char bytes[CMSG_SPACE(sizeof(struct timespec))]; struct cmsghdr align; } controls[BATCH];
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  int count;
  do {
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
      parts[i] = (struct iovec){packets[i], MAX_PACKET};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1,
                                            .msg_control = &controls[i], .msg_controllen = sizeof controls[i]};
    }
    count = recvmmsg(legs[number].socket, messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
      const uint8_t *packet = packets[i];
      if (messages[i].msg_len < RTP_HEADER || packet[0] >> 6 != 2) continue;
      struct cmsghdr *control = CMSG_FIRSTHDR(&messages[i].msg_hdr);
      if (control == NULL || control->cmsg_type != SCM_TIMESTAMPNS) fail("the kernel puts no time on packets");
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
      struct record record = {.kind = HEARD, .leg = number, .payload_type = packet[1] & 0x7f,
                              .source = NOBODY, .index = NOBODY};
      uint32_t timestamp;
      memcpy(&timestamp, packet + 4, 4);
      record.timestamp = ntohl(timestamp);
      if (record.payload_type == PCMU)
        read_sound(&legs[number], packet + RTP_HEADER, messages[i].msg_len - RTP_HEADER, &record);
      int64_t at = (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
      note(record, at, at);
    }
  } while (count == BATCH);
}

static void finish_measurement(void) {
  for (uint32_t i = 0; i < leg_count; i++) hear(i);
  FILE *file = fopen(file_name, "wb");
  if (file == NULL || fwrite(records, sizeof *records, record_count, file) != record_count || fclose(file) != 0)
    fail(file_name);
  free(records);
  records = NULL;
  puts("measured");
}

// The first touch of memory takes the kernel's time: some of it each turn, or all streams would stand still meanwhile.
static void make_ready(void) {
  size_t all = record_limit * sizeof *records, left = all - ready_bytes;
  size_t now = left < READY_EACH_TURN ? left : READY_EACH_TURN;
  memset((char *)records + ready_bytes, 0, now);
  ready_bytes += now;
  if (ready_bytes < all) return;
  for (uint32_t i = 0; i < leg_count; i++) hear(i);
  began = now_ns();
}

static void obey(const char *line) {
  uint32_t number, port, milliseconds;
  char address[64];
  if (sscanf(line, "send %u %63s %u", &number, address, &port) == 3 && number < leg_count) {
    struct leg *leg = &legs[number];
    leg->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &leg->to.sin_addr) != 1) fail(line);
    if (leg->sending) return;
    leg->sending = 1;
    // Phones do not keep step: the legs are spread over the 20 ms.
    leg->due = (now_ns() / FRAME_NS + 1) * FRAME_NS + (int64_t)(number % SLOTS) * FRAME_NS / SLOTS;
    return;
  }
  if (sscanf(line, "measure %u %1023s", &milliseconds, file_name) == 2 && records == NULL) {
    window_ns = milliseconds * MS;
    // Sent and heard, twice what is expected, and some for the start.
    record_limit = (size_t)leg_count * ((milliseconds + GRACE_MS) / 20 + 50) * 4;
    record_count = 0;
    records = malloc(record_limit * sizeof *records);
    if (records == NULL) fail("malloc");
    ready_bytes = 0;
    began = 0;
    return;
  }
  fprintf(stderr, "rtp-load: not understood: %s\n", line);
  exit(1);
}

static void read_commands(void) {
  static char waiting[4096];
  static size_t length;
  ssize_t got = read(STDIN_FILENO, waiting + length, sizeof waiting - 1 - length);
  // The bench is gone, and so is the load.
  if (got == 0) exit(0);
  if (got < 0) return;
  length += (size_t)got;
  waiting[length] = 0;
  char *line = waiting;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = 0;
    obey(line);
  }
  length = strlen(line);
  memmove(waiting, line, length);
}

int main(int count, char **arguments) {
  leg_count = count > 1 ? (uint32_t)atoi(arguments[1]) : 0;
  if (leg_count < 1 || leg_count > MAX_LEGS) return fprintf(stderr, "want 1 to %d legs\n", MAX_LEGS), 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  prctl(PR_SET_TIMERSLACK, 1000);
  // Phones have processors of their own: where it is allowed, the servers' work does not delay what is played to them.
  sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
  for (int i = 0; i < FRAME_SAMPLES; i++) tone[i] = ulaw((int)(2000 * sin(2 * M_PI * 400 * i / 8000)));
  srandom((unsigned)now_ns());
  for (uint32_t i = 0; i < leg_count; i++) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int on = 1, space = 1 << 20;
    legs[i] = (struct leg){.socket = socket(AF_INET, SOCK_DGRAM, 0), .ssrc = (uint32_t)random(),
                           .timestamp = (uint32_t)random(), .sequence = (uint16_t)random()};
    if (legs[i].socket < 0 || bind(legs[i].socket, (struct sockaddr *)&at, size) != 0) fail("bind");
    setsockopt(legs[i].socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(legs[i].socket, SOL_SOCKET, SO_RCVBUF, &space, sizeof space);
    getsockname(legs[i].socket, (struct sockaddr *)&at, &size);
    printf("%s%u", i == 0 ? "ports " : " ", ntohs(at.sin_port));
  }
  putchar('\n');
  fflush(stdout);
  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  for (int64_t wake = now_ns();;) {
    read_commands();
    int64_t now = now_ns();
    for (uint32_t i = 0; i < leg_count; i++) {
      struct leg *leg = &legs[i];
      if (!leg->sending || leg->due > now) continue;
      send_frame(i);
      if (++leg->turns % READ_EVERY == 0) hear(i);
    }
    if (records != NULL && began == 0) make_ready();
    else if (records != NULL && now - began > window_ns + GRACE_MS * MS) finish_measurement();
    wake += FRAME_NS / SLOTS;
    // After a standstill the beat goes on from now; what was due meanwhile has just been sent.
    if (wake < now) wake = now;
    struct timespec until = {.tv_sec = wake / 1000000000, .tv_nsec = wake % 1000000000};
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
  }
}
