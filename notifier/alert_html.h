/* Inside notifier/: an alert as the HTML part of a mail. One column, no image, no script, no table,
 * nothing loaded, no live link to what strangers wrote; light and dark. */
#ifndef GT_NOTIFIER_ALERT_HTML_H
#define GT_NOTIFIER_ALERT_HTML_H

#include "model/model.h"

int gt_alert_html(const struct gt_alert *alert, struct gt_buffer *out);

#endif
