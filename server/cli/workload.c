// SPDX-License-Identifier: Apache-2.0
// The events of a simulated feed; see workload.h.
//
// An event's place among the events of its table is a fraction of the period's traffic; the rhythm
// of days and weeks turns it into a time. Random draws of a table come from a stream of its own, so
// that no table's size changes another's rows.
#include "server/cli/workload.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/num.h"
#include "server/cli/workload_text.h"

#include <math.h>
#include <stdlib.h>

#define MINUTES_PER_DAY 1440u
#define DAYS_MAX 3660u
#define COUNT_MAX UINT64_C(2000000000)
#define ROW_BYTES_MAX 512u

#define LATE_PER_MILLION 10000u
#define LATE_MEAN_US (2 * 3600 * PZ_US_PER_SECOND)
#define LATE_MAX_US (48 * 3600 * PZ_US_PER_SECOND)
#define LATE_STEPS 1024u

// 7 of 100 likes are taken back; of all rows that makes 7 of 107.
#define UNLIKE_PER_MILLION 65421u
#define RECENT_LIKES 4096u

#define PROVINCE_STEPS 8192u

const char *const pz_workload_table_names[PZ_WORKLOAD_TABLES] = {"messages", "likes", "views"};

struct recent_like {
    uint64_t message; // its index + 1; 0 = none
    uint64_t user;
    int64_t at_us;
};

struct pz_workload {
    struct pz_workload_options options;
    int64_t start_us;
    uint64_t user_step; // ranks to users: rank * user_step mod users, without common divisor
    uint32_t user_digits;

    double *traffic; // up to each minute of the period, relative
    size_t minutes;
    int64_t late_us[LATE_STEPS]; // delays of late events, by quantile
    uint8_t provinces[PROVINCE_STEPS];
    int64_t *created_at; // of each message

    // The table being written.
    enum pz_workload_table table;
    uint64_t row;
    size_t minute; // where the last event lay; they only go forward
    struct pz_workload_rng rng;

    uint64_t *liked; // open addressing: message * users + user + 1 of every like so far
    uint64_t liked_mask;
    struct recent_like recent[RECENT_LIKES];
    uint64_t recent_next;
};

// ---- draws ---------------------------------------------------------------------------------

static inline uint64_t
draw(struct pz_workload *workload)
{
    return pz_workload_draw(&workload->rng);
}

// [0, 1)
static inline double
unit(struct pz_workload *workload)
{
    return (double)(draw(workload) >> 11) * 0x1p-53;
}

static inline bool
chance(struct pz_workload *workload, uint32_t per_million)
{
    return pz_workload_below((uint32_t)draw(workload), 1000000) < per_million;
}

// ---- set-up --------------------------------------------------------------------------------

// The natural logarithm of x in (0, 1], by operations that every machine rounds alike.
static double
log_of(double x)
{
    int exponent;
    double mantissa = frexp(x, &exponent); // [0.5, 1)
    double t = (mantissa - 1) / (mantissa + 1);
    double square = t * t;
    double sum = 0;
    for (int k = 41; k >= 1; k -= 2) { // 2 artanh t
        sum = sum * square + 1.0 / k;
    }
    return 2 * t * sum + exponent * 0.69314718055994530942;
}

static void
fill_delays(struct pz_workload *workload)
{
    for (uint32_t i = 0; i < LATE_STEPS; i++) {
        double quantile = (i + 0.5) / LATE_STEPS;
        int64_t us = (int64_t)(-log_of(1 - quantile) * (double)LATE_MEAN_US);
        workload->late_us[i] = us < LATE_MAX_US ? us : LATE_MAX_US;
    }
}

static void
fill_provinces(struct pz_workload *workload)
{
    uint32_t total = 0;
    uint32_t seen = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < PZ_WORKLOAD_PROVINCES; i++) {
        total += pz_workload_provinces[i].weight;
    }
    for (uint32_t i = 0; i < PZ_WORKLOAD_PROVINCES; i++) {
        seen += pz_workload_provinces[i].weight;
        for (; at < (uint64_t)seen * PROVINCE_STEPS / total; at++) {
            workload->provinces[at] = (uint8_t)i;
        }
    }
}

// How busy a minute of a week is, in hundredths: quiet before dawn, a peak after lunch and a higher
// one in the evening; the end of the week is livelier.
static double
busyness(int64_t day, uint32_t minute)
{
    static const uint8_t hours[25] = {55, 36, 22, 14, 10, 11, 18, 34, 52,  60,  64, 70, 80,
                                      92, 98, 88, 74, 70, 76, 86, 98, 118, 126, 92, 55};
    static const uint8_t weekdays[7] = {98, 96, 97, 101, 109, 118, 115}; // Monday first
    uint32_t hour = minute / 60;
    uint32_t part = minute % 60;
    double level = (double)(hours[hour] * (60 - part) + hours[hour + 1] * part) / 60;
    int64_t weekday = (day + 3) % 7; // 1970-01-01 was a Thursday
    return level * weekdays[weekday < 0 ? weekday + 7 : weekday] / 100;
}

static bool
fill_traffic(struct pz_workload *workload)
{
    size_t minutes = (size_t)workload->options.days * MINUTES_PER_DAY;
    int64_t first_day = workload->options.until_day - (int64_t)workload->options.days;
    workload->minutes = minutes;
    workload->traffic = malloc((minutes + 1) * sizeof(*workload->traffic));
    if (workload->traffic == NULL) {
        return false;
    }
    double sum = 0;
    for (size_t i = 0; i < minutes; i++) {
        workload->traffic[i] = sum;
        double growth = 1 + 0.3 * (double)i / (double)minutes;
        sum += growth * busyness(first_day + (int64_t)(i / MINUTES_PER_DAY),
                                 (uint32_t)(i % MINUTES_PER_DAY));
    }
    workload->traffic[minutes] = sum;
    return true;
}

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static bool
make_room(struct pz_workload *workload)
{
    const struct pz_workload_options *options = &workload->options;
    uint64_t slots = 1024;
    while (slots < options->likes * 2) {
        slots *= 2;
    }
    workload->liked = calloc(slots, sizeof(*workload->liked));
    workload->liked_mask = slots - 1;
    workload->created_at = malloc((options->messages + 1) * sizeof(*workload->created_at));
    return workload->liked != NULL && workload->created_at != NULL && fill_traffic(workload);
}

static enum pz_status
check(const struct pz_workload_options *options, struct pz_error *err)
{
    uint64_t pairs;
    if (options->users < 1 || options->days < 1 || options->days > DAYS_MAX) {
        return pz_fail(err, PZ_INVALID, "at least one user and 1 to %u days are needed", DAYS_MAX);
    }
    if (options->messages < 1 && options->likes + options->views > 0) {
        return pz_fail(err, PZ_INVALID, "likes and views need at least one message");
    }
    if (options->users > COUNT_MAX || options->messages > COUNT_MAX || options->likes > COUNT_MAX ||
        options->views > UINT64_C(1000) * COUNT_MAX) {
        return pz_fail(err, PZ_INVALID, "that is more than can be simulated");
    }
    // Half of the possible likes at most, so that a new one is found soon.
    if (!pz_mul_u64(options->users, options->messages, &pairs) || options->likes > pairs / 2) {
        return pz_fail(err, PZ_INVALID,
                       "%llu likes are too many: %llu users can like %llu messages once each, and "
                       "at most half of that is simulated",
                       (unsigned long long)options->likes, (unsigned long long)options->users,
                       (unsigned long long)options->messages);
    }
    return PZ_OK;
}

enum pz_status
pz_workload_create(const struct pz_workload_options *options, struct pz_workload **workload_out,
                   struct pz_error *err)
{
    *workload_out = NULL;
    PZ_TRY(check(options, err));
    struct pz_workload *workload = pz_xcalloc(1, sizeof(*workload));
    workload->options = *options;
    workload->start_us = (options->until_day - (int64_t)options->days) * PZ_US_PER_DAY;
    workload->user_step = options->users * 5 / 8 + 1; // far apart, so that neighbours differ
    while (common_divisor(workload->user_step, options->users) != 1) {
        workload->user_step++;
    }
    char digits[PZ_NUM_TEXT_MAX];
    uint32_t len = pz_format_u64(options->users, digits);
    workload->user_digits = len < 6 ? 6 : len;
    workload->table = PZ_WORKLOAD_TABLES;
    fill_delays(workload);
    fill_provinces(workload);
    if (!make_room(workload)) {
        pz_workload_destroy(workload);
        return pz_fail(err, PZ_NO_MEMORY, "no memory for %llu messages and %llu likes",
                       (unsigned long long)options->messages, (unsigned long long)options->likes);
    }
    *workload_out = workload;
    return PZ_OK;
}

void
pz_workload_destroy(struct pz_workload *workload)
{
    if (workload == NULL) {
        return;
    }
    free(workload->traffic);
    free(workload->created_at);
    free(workload->liked);
    free(workload);
}

// ---- events --------------------------------------------------------------------------------

// What arrives next: its place in the traffic and when it happened.
struct event {
    double place; // [0, 1)
    int64_t at_us;
};

static struct event
next_event(struct pz_workload *workload, uint64_t count)
{
    double place = ((double)workload->row + unit(workload)) / (double)count;
    double sum = place * workload->traffic[workload->minutes];
    while (workload->minute + 1 < workload->minutes &&
           workload->traffic[workload->minute + 1] <= sum) {
        workload->minute++;
    }
    double before = workload->traffic[workload->minute];
    double part = (sum - before) / (workload->traffic[workload->minute + 1] - before);
    int64_t at_us = workload->start_us + (int64_t)workload->minute * 60 * PZ_US_PER_SECOND +
                    (int64_t)(part * 60e6);
    if (chance(workload, LATE_PER_MILLION)) {
        at_us -= workload->late_us[draw(workload) % LATE_STEPS];
        at_us = at_us < workload->start_us ? workload->start_us : at_us;
    }
    return (struct event){place, at_us};
}

// Half of the users are there from the beginning, the others join one after the other. Few are
// busy: the density falls with the square root of the rank (or faster, for `is_author`).
static uint64_t
pick_user(struct pz_workload *workload, double place, bool is_author)
{
    uint64_t users = workload->options.users;
    uint64_t joined = users / 2 + (uint64_t)((double)(users - users / 2) * place) + 1;
    uint64_t user = 0;
    for (int tries = 0; tries < 16; tries++) {
        double u = unit(workload);
        double rank = (double)users * u * u * (is_author ? sqrt(u) : 1);
        user = ((uint64_t)rank * workload->user_step + 11) % users;
        if (user < joined) {
            return user;
        }
    }
    return user % joined;
}

// The message of a block of `size` that draws the attention of its neighbours' readers.
static uint64_t
hottest_near(uint64_t message, uint64_t size, uint64_t there)
{
    uint64_t first = message & ~(size - 1);
    uint64_t hot = first + (pz_hash_u64(first * 64 + size) & (size - 1));
    return hot < there ? hot : message;
}

// Among the messages that are there at this place, mostly recent and mostly popular ones.
static uint64_t
pick_message(struct pz_workload *workload, double place)
{
    uint64_t there = (uint64_t)((double)workload->options.messages * place);
    there = there < 1 ? 1 : there;
    double u = unit(workload);
    uint64_t back = (uint64_t)((double)there * (u * u) * (u * u));
    uint64_t message = there - 1 - (back < there ? back : there - 1);
    uint32_t fame = (uint32_t)draw(workload) >> 22; // of 1024
    if (fame < 70) {
        return hottest_near(message, 4096, there);
    }
    if (fame < 200) {
        return hottest_near(message, 256, there);
    }
    return fame < 460 ? hottest_near(message, 16, there) : message;
}

// The time of an event about a message: not before it was written.
static int64_t
not_before(const struct pz_workload *workload, uint64_t message, int64_t at_us)
{
    int64_t created_us = workload->created_at[message];
    return at_us < created_us ? created_us : at_us;
}

// ---- rows ----------------------------------------------------------------------------------

static char *
put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}
#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static char *
put_user(const struct pz_workload *workload, char *at, uint64_t user)
{
    char digits[PZ_NUM_TEXT_MAX];
    uint32_t len = pz_format_u64(user, digits);
    at = PUT(at, ",\"user_id\":\"user");
    for (uint32_t i = len; i < workload->user_digits; i++) {
        *at++ = '0';
    }
    at = put(at, digits, len);
    *at++ = '"';
    return at;
}

static char *
put_message(const struct pz_workload *workload, char *at, uint64_t message)
{
    at = PUT(at, "{\"message_id\":");
    return at + pz_format_i64(workload->options.message_id_offset + (int64_t)message + 1, at);
}

static char *
write_message(struct pz_workload *workload, char *at)
{
    struct event event = next_event(workload, workload->options.messages);
    uint64_t user = pick_user(workload, event.place, true);
    workload->created_at[workload->row] = event.at_us;
    at = put_message(workload, at, workload->row);
    at = put_user(workload, at, user);
    at = PUT(at, ",\"created_at\":\"");
    at += pz_format_timestamp(event.at_us, at);
    at = PUT(at, "\",\"body\":\"");
    at += pz_workload_body(&workload->rng, at);
    return PUT(at, "\"}\n");
}

// Whether this user had not liked this message before; remembers it.
static bool
claim_like(struct pz_workload *workload, uint64_t message, uint64_t user)
{
    uint64_t key = message * workload->options.users + user + 1;
    uint64_t slot = pz_hash_u64(key) & workload->liked_mask;
    while (workload->liked[slot] != 0) {
        if (workload->liked[slot] == key) {
            return false;
        }
        slot = (slot + 1) & workload->liked_mask;
    }
    workload->liked[slot] = key;
    return true;
}

static struct recent_like
new_like(struct pz_workload *workload, const struct event *event)
{
    uint64_t message;
    uint64_t user;
    int tries = 0;
    do {
        // After some vain tries on popular messages, anyone and anything that is there.
        bool is_calm = tries++ < 40;
        double place = is_calm || tries < 80 ? event->place : 1;
        message = is_calm ? pick_message(workload, place)
                          : (uint64_t)((double)workload->options.messages * place * unit(workload));
        user =
            is_calm ? pick_user(workload, place, false) : draw(workload) % workload->options.users;
    } while (!claim_like(workload, message, user));
    return (struct recent_like){message + 1, user, not_before(workload, message, event->at_us)};
}

// One of the last likes that was not taken back yet, if there is one at hand.
static struct recent_like
take_recent_like(struct pz_workload *workload)
{
    uint64_t count = workload->recent_next < RECENT_LIKES ? workload->recent_next : RECENT_LIKES;
    struct recent_like like = {0};
    for (int tries = 0; count > 0 && like.message == 0 && tries < 4; tries++) {
        struct recent_like *slot = &workload->recent[draw(workload) % count];
        like = *slot;
        slot->message = 0;
    }
    return like;
}

static char *
write_like(struct pz_workload *workload, char *at)
{
    struct event event = next_event(workload, workload->options.likes);
    struct recent_like like = {0};
    if (chance(workload, UNLIKE_PER_MILLION)) {
        like = take_recent_like(workload);
        like.at_us += PZ_US_PER_SECOND;
        like.at_us = like.at_us < event.at_us ? event.at_us : like.at_us;
    }
    bool is_unlike = like.message != 0;
    if (!is_unlike) {
        like = new_like(workload, &event);
        workload->recent[workload->recent_next++ % RECENT_LIKES] = like;
    }
    at = put_message(workload, at, like.message - 1);
    at = put_user(workload, at, like.user);
    at = PUT(at, ",\"created_at\":\"");
    at += pz_format_timestamp(like.at_us, at);
    return is_unlike ? PUT(at, "\",\"delta\":-1}\n") : PUT(at, "\",\"delta\":1}\n");
}

// Normal, mean 150 s and deviation 120 s, never negative: twelve uniform draws of 16 bits have a
// variance of one, and come from three numbers.
static uint64_t
draw_watch_ms(struct pz_workload *workload)
{
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t bits = draw(workload);
        sum += (int64_t)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) +
                         (bits >> 48));
    }
    int64_t watch_ms = 150000 + (sum - 6 * 65535) * 120000 / 65536;
    return watch_ms < 0 ? 0 : (uint64_t)watch_ms;
}

static char *
write_view(struct pz_workload *workload, char *at)
{
    struct event event = next_event(workload, workload->options.views);
    uint64_t message = pick_message(workload, event.place);
    uint64_t user = pick_user(workload, event.place, false);
    uint64_t bits = draw(workload);
    uint32_t device = pz_workload_below((uint32_t)bits, 10);
    const char *geo =
        pz_workload_provinces[workload->provinces[bits >> 32 & (PROVINCE_STEPS - 1)]].name;
    at = put_message(workload, at, message);
    at = put_user(workload, at, user);
    at = PUT(at, ",\"viewed_at\":\"");
    at += pz_format_timestamp(not_before(workload, message, event.at_us), at);
    at = PUT(at, "\",\"device\":\"");
    at = device < 6 ? PUT(at, "mobile") : device < 9 ? PUT(at, "desktop") : PUT(at, "other");
    at = PUT(at, "\",\"geo\":\"");
    at = put(at, geo, strlen(geo));
    at = PUT(at, "\",\"watch_ms\":");
    at += pz_format_u64(draw_watch_ms(workload), at);
    return PUT(at, "}\n");
}

static uint64_t
rows_of(const struct pz_workload *workload, enum pz_workload_table table)
{
    const uint64_t counts[PZ_WORKLOAD_TABLES] = {workload->options.messages,
                                                 workload->options.likes, workload->options.views};
    return counts[table];
}

uint64_t
pz_workload_write(struct pz_workload *workload, enum pz_workload_table table, size_t bytes,
                  struct pz_buffer *out)
{
    char *(*const write[PZ_WORKLOAD_TABLES])(struct pz_workload *,
                                             char *) = {write_message, write_like, write_view};
    if (workload->table != table) {
        workload->table = table;
        workload->row = 0;
        workload->minute = 0;
        workload->rng.state = pz_hash_u64(workload->options.seed * 4 + (uint64_t)table + 1);
    }
    uint64_t rows = 0;
    size_t end = out->len + bytes;
    while (workload->row < rows_of(workload, table) && out->len < end &&
           pz_buffer_reserve(out, ROW_BYTES_MAX)) {
        out->len = (size_t)(write[table](workload, out->data + out->len) - out->data);
        workload->row++;
        rows++;
    }
    return rows;
}
