#include "core/clock.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t gt_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t gt_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void gt_sleep(int64_t ms)
{
    if (ms <= 0)
        return;
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

const char *gt_time_format(int64_t ms, char *buf)
{
    time_t seconds = (time_t)(ms / 1000);
    int rest = (int)(ms % 1000);
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || tm.tm_year > 8099 || tm.tm_year < -1900) {
        snprintf(buf, GT_TIME_TEXT, "-");
        return buf;
    }
    size_t n = strftime(buf, GT_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest)
        snprintf(buf + n, GT_TIME_TEXT - n, ".%03dZ", rest);
    else
        snprintf(buf + n, GT_TIME_TEXT - n, "Z");
    return buf;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct moment {
    int year, month, day, hour, minute, second, ms, offset; /* offset: minutes east of UTC */
};

static int64_t to_ms(const struct moment *m)
{
    if (m->year < 1970 || m->year > 9999 || m->month < 1 || m->month > 12 || m->day < 1 ||
        m->day > 31 || m->hour > 24 || m->minute > 59 || m->second > 60)
        return 0;
    int64_t minutes = days_of(m->year, m->month, m->day) * 1440 + m->hour * 60 + m->minute;
    int64_t ms = ((minutes - m->offset) * 60 + m->second) * 1000 + m->ms;
    return ms > 0 ? ms : 0;
}

/* "+02:00", "+0200", "+02", "Z", "GMT", "EST"; nothing counts as UTC. */
static int parse_zone(const char *text)
{
    static const struct {
        const char *name;
        int minutes;
    } zones[] = {{"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300}, {"MST", -420},
                 {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"CET", 60},   {"CEST", 120},
                 {"BST", 60},   {"JST", 540},  {"EET", 120},  {"MSK", 180}};
    while (*text == ' ')
        text++;
    if (*text == '+' || *text == '-') {
        int hours = 0, minutes = 0;
        if (sscanf(text + 1, "%2d:%2d", &hours, &minutes) < 2)
            (void)sscanf(text + 1, "%2d%2d", &hours, &minutes);
        int total = hours * 60 + minutes;
        return *text == '-' ? -total : total;
    }
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (strncasecmp(text, zones[i].name, strlen(zones[i].name)) == 0 &&
            !isalpha((unsigned char)text[strlen(zones[i].name)]))
            return zones[i].minutes;
    return 0;
}

static int64_t parse_iso(const char *text)
{
    struct moment m = {.month = 1, .day = 1};
    int used = 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &m.year, &m.month, &m.day, &used) < 3 || used < 8)
        return 0;
    const char *rest = text + used;
    if (*rest != 'T' && *rest != 't' && *rest != ' ')
        return *rest ? 0 : to_ms(&m);
    used = 0;
    if (sscanf(rest + 1, "%2d:%2d%n", &m.hour, &m.minute, &used) < 2 || !used)
        return 0;
    rest += 1 + used;
    if (*rest == ':' && sscanf(rest, ":%2d%n", &m.second, &used) == 1)
        rest += used;
    if (*rest == '.' || *rest == ',') {
        int scale = 100;
        for (rest++; isdigit((unsigned char)*rest); rest++, scale /= 10)
            m.ms += (*rest - '0') * scale;
    }
    m.offset = parse_zone(rest);
    return to_ms(&m);
}

static int month_of(const char *name)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12; i++)
        if (strncasecmp(name, months + 3 * i, 3) == 0)
            return i + 1;
    return 0;
}

/* RFC 822 with or without week day, two- or four-digit year; also RFC 850 and asctime. */
static int64_t parse_mail(const char *text)
{
    struct moment m = {0};
    char month[16] = "";
    int used = 0;
    const char *start = text;
    const char *comma = strchr(text, ',');
    if (comma && comma - text < 16)
        start = comma + 1;
    while (*start == ' ')
        start++;
    if (sscanf(start, "%2d%*1[ -]%15[A-Za-z]%*[. -]%4d%n", &m.day, month, &m.year, &used) >= 3 &&
        used) {
        start += used;
        used = 0;
        if (sscanf(start, " %2d:%2d%n", &m.hour, &m.minute, &used) == 2 && used) {
            start += used;
            if (*start == ':' && sscanf(start, ":%2d%n", &m.second, &used) == 1)
                start += used;
        }
        m.offset = parse_zone(start);
    } else if (sscanf(start, "%*3s %15[A-Za-z] %2d %2d:%2d:%2d %4d", month, &m.day, &m.hour,
                      &m.minute, &m.second, &m.year) != 6) {
        return 0;
    }
    m.month = month_of(month);
    if (m.year < 70)
        m.year += 2000;
    else if (m.year < 100)
        m.year += 1900;
    return to_ms(&m);
}

static int64_t parse_unix(const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno || *end || value <= 0)
        return 0;
    /* Seconds until the year 5138, else milliseconds, else microseconds. */
    if (value < 1e11)
        return (int64_t)(value * 1000);
    if (value < 1e14)
        return (int64_t)value;
    return value < 1e17 ? (int64_t)(value / 1000) : 0;
}

int64_t gt_time_parse(const char *text)
{
    if (!text)
        return 0;
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    if (len == 0 || len > 128)
        return 0;
    char copy[129];
    memcpy(copy, text, len + 1);
    while (len && isspace((unsigned char)copy[len - 1]))
        copy[--len] = '\0';
    if (strspn(copy, "0123456789.") == len)
        return parse_unix(copy);
    if (len > 4 && isdigit((unsigned char)copy[0]) && copy[4] == '-')
        return parse_iso(copy);
    return parse_mail(copy);
}

uint32_t gt_random(uint32_t below)
{
    return randombytes_uniform(below);
}

int64_t gt_backoff(int attempt, int64_t base_ms, int64_t cap_ms)
{
    int64_t most = base_ms;
    for (int i = 0; i < attempt && most < cap_ms; i++)
        most *= 2;
    if (most > cap_ms)
        most = cap_ms;
    int64_t wait = (int64_t)gt_random((uint32_t)(most < INT32_MAX ? most + 1 : INT32_MAX));
    return wait > base_ms / 2 ? wait : base_ms / 2;
}
