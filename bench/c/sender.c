/*
 * The yardstick: librdkafka called from C as directly as can be.
 *
 * usage: sender PROPERTIES TOPIC RECORDS EVENTS KEYS [BATCH]
 *
 * PROPERTIES holds librdkafka's settings, one name=value a line. EVENTS and KEYS hold one value and one key a line; they
 * are sent in their order, again and again, until RECORDS are sent: one by one with rd_kafka_produce, or BATCH at a time with
 * rd_kafka_produce_batch. One thread sends, another one polls and counts the answers. Prints one line of JSON; exits 1
 * unless every record was acknowledged.
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct lines {
    char *bytes;
    size_t count;
    char **starts; /* one more than count: the end of a line is the start of the next, less the newline */
};

static atomic_long acknowledged, failed;
static atomic_int stop;

static void die(const char *what, const char *why) {
    fprintf(stderr, "sender: %s: %s\n", what, why);
    exit(1);
}

static struct lines read_lines(const char *path) {
    struct lines lines = {0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) die(path, "cannot be read");
    long size = ftell(file);
    rewind(file);
    lines.bytes = malloc(size + 1);
    if (size <= 0 || !lines.bytes || fread(lines.bytes, 1, size, file) != (size_t)size) die(path, "cannot be read");
    fclose(file);
    for (long at = 0; at < size; at++) lines.count += lines.bytes[at] == '\n';
    lines.starts = malloc((lines.count + 1) * sizeof *lines.starts);
    if (!lines.starts || lines.count == 0) die(path, "holds no line");
    size_t line = 0;
    lines.starts[line++] = lines.bytes;
    for (long at = 0; at < size; at++)
        if (lines.bytes[at] == '\n') lines.starts[line++] = lines.bytes + at + 1;
    return lines;
}

static rd_kafka_conf_t *read_properties(const char *path) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char line[4096], why[512];
    FILE *file = fopen(path, "r");
    if (!file) die(path, "cannot be read");
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *value = strchr(line, '=');
        if (!value) continue;
        *value++ = 0;
        if (rd_kafka_conf_set(conf, line, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(line, why);
    }
    fclose(file);
    return conf;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk, (void)opaque;
    atomic_fetch_add_explicit(message->err ? &failed : &acknowledged, 1, memory_order_relaxed);
}

static void *poll_answers(void *rk) {
    while (!atomic_load(&stop)) rd_kafka_poll(rk, 50);
    return NULL;
}

static void send_one_by_one(rd_kafka_topic_t *topic, long records, struct lines events, struct lines keys) {
    size_t line = 0;
    for (long sent = 0; sent < records; sent++) {
        char *value = events.starts[line], *key = keys.starts[line];
        size_t value_size = events.starts[line + 1] - value - 1, key_size = keys.starts[line + 1] - key - 1;
        /* A full queue blocks until there is room. */
        if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK, value, value_size,
                             key, key_size, NULL))
            die("produce", rd_kafka_err2str(rd_kafka_last_error()));
        if (++line == events.count) line = 0;
    }
}

static void send_batches(rd_kafka_topic_t *topic, long records, struct lines events, struct lines keys, int batch) {
    rd_kafka_message_t *messages = calloc(batch, sizeof *messages);
    if (!messages) die("batch", "no memory");
    size_t line = 0;
    for (long sent = 0; sent < records; sent += batch) {
        int count = records - sent < batch ? (int)(records - sent) : batch;
        for (int at = 0; at < count; at++) {
            char *value = events.starts[line], *key = keys.starts[line];
            messages[at] = (rd_kafka_message_t){.payload = value,
                                                .len = events.starts[line + 1] - value - 1,
                                                .key = key,
                                                .key_len = keys.starts[line + 1] - key - 1};
            if (++line == events.count) line = 0;
        }
        if (rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK, messages,
                                   count) != count)
            die("produce_batch", "a record was not taken");
    }
    free(messages);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 7) die("usage", "sender PROPERTIES TOPIC RECORDS EVENTS KEYS [BATCH]");
    long records = atol(argv[3]);
    int batch = argc == 7 ? atoi(argv[6]) : 0;
    struct lines events = read_lines(argv[4]), keys = read_lines(argv[5]);
    if (records < 1 || events.count != keys.count) die("usage", "RECORDS is 1 or more, EVENTS and KEYS have as many lines");

    char why[512];
    rd_kafka_conf_t *conf = read_properties(argv[1]);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!rk) die("client", why);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    if (!topic) die(argv[2], rd_kafka_err2str(rd_kafka_last_error()));
    pthread_t poller;
    if (pthread_create(&poller, NULL, poll_answers, rk)) die("thread", "cannot be started");

    double start = now();
    if (batch > 0)
        send_batches(topic, records, events, keys, batch);
    else
        send_one_by_one(topic, records, events, keys);
    while (atomic_load(&acknowledged) + atomic_load(&failed) < records) usleep(2000);
    double seconds = now() - start;
    atomic_store(&stop, 1);
    pthread_join(poller, NULL);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    printf("{\"acknowledged\":%ld,\"seconds\":%.6f}\n", (long)acknowledged, seconds);
    return acknowledged == records ? 0 : 1;
}
