/* When a delivery is tried again. */
#include "notifier/notifier.h"

#define BASE_MS (5 * GT_SECOND)
#define CAP_MS (3 * GT_HOUR)
/* A receiver may ask for a pause, but not for so long that the alert is forgotten. */
#define AFTER_MAX_MS GT_DAY

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t gt_delivery_backoff(int64_t attempts, int64_t created_ms, int64_t now_ms,
                            int64_t delivery_for_ms, int64_t after_ms)
{
    int64_t left = created_ms + delivery_for_ms - now_ms;
    if (left <= 0)
        return -1;
    int64_t delay = gt_backoff((int)least(attempts < 0 ? 0 : attempts, 30), BASE_MS, CAP_MS);
    if (after_ms >= 0) {
        /* Jitter on top: everybody whom an overloaded receiver sent away would return at once. */
        after_ms = least(after_ms, AFTER_MAX_MS);
        after_ms += gt_random((uint32_t)(after_ms / 10 + 1));
        if (after_ms > delay)
            delay = after_ms;
    }
    return least(delay, left); /* the last try is at the deadline */
}
