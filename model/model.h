/* model: what travels between the parts, and the configuration. Read these headers first.
 *
 * This is the only header of the folder that other folders include. */
#ifndef GT_MODEL_H
#define GT_MODEL_H

#include "model/alert.h"
#include "model/config.h"
#include "model/document.h"
#include "model/finding.h"
#include "model/severity.h"

#endif
