/* core: what every folder builds on; knows no word of the domain.
 *
 * This is the only header of the folder that other folders include. */
#ifndef GT_CORE_H
#define GT_CORE_H

#include "core/arena.h"
#include "core/buffer.h"
#include "core/clock.h"
#include "core/embed.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/options.h"
#include "core/pack.h"
#include "core/strings.h"
#include "core/version.h"
#include "core/yaml.h"

#endif
