#include "core/metrics.h"

#include "core/error.h"
#include "core/strings.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every metric of the program. */
static const struct metric {
    const char *name, *type, *help;
} metrics[] = {
#define METRIC(name, type, help) {name, type, help},
#include "core/metrics.def"
#undef METRIC
};

#define BUCKETS 12
static const double seconds_buckets[BUCKETS] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.25,
                                                0.5,   1,     2.5,  5,    15,  60};
static const double bytes_buckets[BUCKETS] = {1024,    4096,     16384,    65536,
                                              262144,  524288,   1048576,  2097152,
                                              4194304, 16777216, 33554432, 67108864};

struct series {
    const char *name;
    char *label;
    double value;            /* counter, gauge; sum of a histogram */
    uint64_t *counts, total; /* histogram */
};

static struct series series[GT_METRICS_MAX];
static size_t series_count;
static double dropped;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct series *find(const char *name, const char *label)
{
    for (size_t i = 0; i < series_count; i++)
        if (strcmp(series[i].name, name) == 0 && strcmp(series[i].label, label ? label : "") == 0)
            return &series[i];
    return NULL;
}

/* Names come from string literals of the program: they outlive us. */
static struct series *find_or_add(const char *name, const char *label)
{
    struct series *s = find(name, label);
    if (s)
        return s;
    char *copy = series_count < GT_METRICS_MAX ? strdup(label ? label : "") : NULL;
    if (!copy) {
        dropped++;
        return NULL;
    }
    s = &series[series_count++];
    *s = (struct series){.name = name, .label = copy};
    return s;
}

void gt_counter_add(const char *name, const char *label, double by)
{
    pthread_mutex_lock(&lock);
    struct series *s = find_or_add(name, label);
    if (s)
        s->value += by;
    pthread_mutex_unlock(&lock);
}

void gt_gauge_set(const char *name, const char *label, double value)
{
    pthread_mutex_lock(&lock);
    struct series *s = find_or_add(name, label);
    if (s)
        s->value = value;
    pthread_mutex_unlock(&lock);
}

static const double *buckets_of(const char *name)
{
    return gt_ends_with(name, "_bytes") ? bytes_buckets : seconds_buckets;
}

void gt_histogram_observe(const char *name, const char *label, double value)
{
    pthread_mutex_lock(&lock);
    struct series *s = find_or_add(name, label);
    if (s && !s->counts)
        s->counts = calloc(BUCKETS, sizeof *s->counts);
    if (s && s->counts) {
        const double *bounds = buckets_of(name);
        for (size_t i = 0; i < BUCKETS; i++)
            s->counts[i] += value <= bounds[i];
        s->total++;
        s->value += value;
    }
    pthread_mutex_unlock(&lock);
}

static void append_sample(struct gt_buffer *out, const char *name, const char *suffix,
                          const char *label, const char *more, double value)
{
    const char *comma = *label && *more ? "," : "";
    gt_buffer_printf(out, "%s%s", name, suffix);
    if (*label || *more)
        gt_buffer_printf(out, "{%s%s%s}", label, comma, more);
    gt_buffer_printf(out, " %.17g\n", value);
}

static void append_histogram(struct gt_buffer *out, const struct series *s)
{
    const double *bounds = buckets_of(s->name);
    char le[48];
    for (size_t i = 0; i < BUCKETS && s->counts; i++) {
        snprintf(le, sizeof le, "le=\"%g\"", bounds[i]);
        append_sample(out, s->name, "_bucket", s->label, le, (double)s->counts[i]);
    }
    append_sample(out, s->name, "_bucket", s->label, "le=\"+Inf\"", (double)s->total);
    append_sample(out, s->name, "_sum", s->label, "", s->value);
    append_sample(out, s->name, "_count", s->label, "", (double)s->total);
}

int gt_metrics_append(struct gt_buffer *out)
{
    pthread_mutex_lock(&lock);
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        bool headed = false;
        for (size_t i = 0; i < series_count; i++) {
            if (strcmp(series[i].name, metrics[m].name) != 0)
                continue;
            if (!headed)
                gt_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name,
                                 metrics[m].help, metrics[m].name, metrics[m].type);
            headed = true;
            if (strcmp(metrics[m].type, "histogram") == 0)
                append_histogram(out, &series[i]);
            else
                append_sample(out, series[i].name, "", series[i].label, "", series[i].value);
        }
    }
    gt_buffer_printf(out,
                     "# HELP guette_metrics_dropped_total Series refused because there were too "
                     "many.\n# TYPE guette_metrics_dropped_total counter\n"
                     "guette_metrics_dropped_total %.17g\n",
                     dropped);
    pthread_mutex_unlock(&lock);
    return gt_buffer_ok(out) ? 0 : GT_E_LIMIT;
}

double gt_counter_sum(const char *name)
{
    double sum = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < series_count; i++)
        if (strcmp(series[i].name, name) == 0)
            sum += series[i].value;
    pthread_mutex_unlock(&lock);
    return sum;
}

const char *gt_label(char *buf, size_t size, const char *key, const char *value)
{
    struct gt_buffer text = GT_BUFFER(1024);
    gt_buffer_printf(&text, "%s=\"", key);
    for (const char *c = value; *c && text.len < 512; c++) {
        if (*c == '\\' || *c == '"')
            gt_buffer_putc(&text, '\\');
        gt_buffer_putc(&text, *c == '\n' ? ' ' : *c);
    }
    gt_buffer_putc(&text, '"');
    snprintf(buf, size, "%s", text.data ? text.data : "");
    gt_buffer_free(&text);
    return buf;
}
