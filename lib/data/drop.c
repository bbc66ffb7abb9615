/* SPDX-License-Identifier: Apache-2.0 */
/* See drop.h. */
#include "data/drop.h"

#include "base/philox.h"

#include <string.h>

static cfd_status copy_dense(const ops_feature_source *source, dropped_features *d)
{
    size_t element = ops_element_bytes(source->element);
    size_t row = (size_t)source->columns * element;
    TRY(memory_allocate(d->memory, (size_t)source->rows, row, "features of which some are left out", &d->owned));
    for (int32_t r = 0; r < source->rows; r++) {
        memcpy((unsigned char *)d->owned + (size_t)r * row,
               (const unsigned char *)source->dense + (size_t)r * (size_t)source->ld * element, row);
    }
    d->features.dense = d->owned;
    d->features.ld = source->columns;
    return CFD_OK;
}

static cfd_status copy_values(const ops_feature_source *source, dropped_features *d)
{
    size_t n = (size_t)source->sparse.nonzeros;
    TRY(memory_allocate(d->memory, n, sizeof(float), "features of which some are left out", &d->owned));
    if (n > 0) {
        memcpy(d->owned, source->sparse.values, n * sizeof(float));
    }
    d->features.sparse.values = d->owned;
    return CFD_OK;
}

static void clear_row(const ops_feature_source *source, int32_t row, void *owned)
{
    size_t first = source->dense ? (size_t)row * (size_t)source->columns : (size_t)source->sparse.offsets[row];
    size_t n = source->dense ? (size_t)source->columns : (size_t)source->sparse.offsets[row + 1] - first;
    size_t element = source->dense ? ops_element_bytes(source->element) : sizeof(float);
    if (n > 0) {
        memset((unsigned char *)owned + first * element, 0, n * element);
    }
}

cfd_status drop_features(const memory_source *memory, uint64_t seed, int32_t modality, double share,
                         const ops_feature_source *source, dropped_features *out)
{
    dropped_features d = {.memory = memory, .features = *source};
    TRY(source->dense ? copy_dense(source, &d) : copy_values(source, &d));
    for (int32_t r = 0; r < source->rows; r++) {
        philox_block random = philox(seed, PHILOX_MISSING, (uint64_t)modality, (uint32_t)r);
        if ((double)philox_unit(random.word[0]) < share) {
            clear_row(source, r, d.owned);
            d.n++;
        }
    }
    *out = d;
    return CFD_OK;
}

void dropped_features_release(dropped_features *dropped)
{
    if (dropped->memory) {
        memory_release(dropped->memory, dropped->owned);
    }
    memset(dropped, 0, sizeof *dropped);
}
