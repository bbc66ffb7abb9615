/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of id lists: one pass over the mapped bytes. */
#include "data/id_lists.h"
#include "io/map_file.h"
#include "io/report.h"

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

/* Blanks and line ends; a CR counts as one where it stands alone, and then fails as a token of its own. */
static bool ends_token(unsigned char byte)
{
    return is_blank(byte) || byte == '\n' || byte == '\r';
}

/* Says what is wrong with the token at `at`. */
static cfd_status refuse(const char *path, int64_t line, const unsigned char *at, const unsigned char *end, id_kind kind)
{
    const unsigned char *stop = at + 1;
    while (stop < end && !ends_token(*stop)) {
        stop++;
    }
    size_t length = (size_t)(stop - at);
    size_t sign = *at == '-';
    bool whole = length > sign;
    uint64_t value = 0;
    for (size_t i = sign; i < length; i++) {
        whole = whole && at[i] >= '0' && at[i] <= '9';
        value = value <= ID_LARGEST && whole ? value * 10 + (uint64_t)(at[i] - '0') : value;
    }
    char shown[REPORT_BYTES];
    report_bytes(at, length, shown);
    if (!whole) {
        return fail(CFD_ERROR_FORMAT, "%s:%lld: \"%s\" is no %s id (a whole number from 0)", path, (long long)line, shown,
                    kind.name);
    }
    if (sign) {
        return fail(CFD_ERROR_FORMAT, "%s:%lld: %s id %s is negative", path, (long long)line, kind.name, shown);
    }
    if (value > ID_LARGEST) {
        return fail(CFD_ERROR_FORMAT, "%s:%lld: %s id %s is larger than %d", path, (long long)line, kind.name, shown,
                    ID_LARGEST);
    }
    return fail(CFD_ERROR_DATA, "%s:%lld: %s id %s is beyond the %d rows of %s", path, (long long)line, kind.name, shown,
                (int)kind.count, kind.counted);
}

static void extend(id_extent *extent, int32_t id, int64_t line)
{
    if (id >= extent->count) {
        *extent = (id_extent){id + 1, line};
    }
}

static cfd_status make_room(id_pairs *pairs)
{
    TRY(memory_grow(pairs->memory, &pairs->first_ids, &pairs->first_capacity, pairs->n + 1, sizeof *pairs->first_ids,
                    "a file of ids"));
    return memory_grow(pairs->memory, &pairs->second_ids, &pairs->second_capacity, pairs->n + 1,
                       sizeof *pairs->second_ids, "a file of ids");
}

static cfd_status read_bytes(const char *path, const unsigned char *at, const unsigned char *end, id_kind first,
                             id_kind second, id_pairs *pairs)
{
    uint64_t first_below = first.count ? (uint64_t)first.count : (uint64_t)ID_LARGEST + 1;
    uint64_t second_below = second.count ? (uint64_t)second.count : (uint64_t)ID_LARGEST + 1;
    size_t room = 0;
    int32_t owner = -1; /* the line's first id; -1 at its beginning */
    int64_t line = 1;
    while (at < end) {
        if (is_blank(*at)) {
            at++;
            continue;
        }
        if (*at == '\n') {
            at++;
            line++;
            owner = -1;
            continue;
        }
        if (*at == '\r' && (at + 1 == end || at[1] == '\n')) {
            at++;
            continue;
        }
        const unsigned char *token = at;
        uint64_t id = 0;
        while (at < end && (unsigned)(*at - '0') <= 9 && id <= ID_LARGEST) {
            id = id * 10 + (uint64_t)(*at - '0');
            at++;
        }
        bool is_first = owner < 0;
        if (at == token || (at < end && !ends_token(*at)) || id >= (is_first ? first_below : second_below)) {
            return refuse(path, line, token, end, is_first ? first : second);
        }
        if (is_first) {
            owner = (int32_t)id;
            extend(&pairs->first, owner, line);
            continue;
        }
        if (pairs->n == room) {
            TRY(make_room(pairs));
            room = pairs->first_capacity < pairs->second_capacity ? pairs->first_capacity : pairs->second_capacity;
        }
        pairs->first_ids[pairs->n] = owner;
        pairs->second_ids[pairs->n++] = (int32_t)id;
        extend(&pairs->second, (int32_t)id, line);
    }
    return CFD_OK;
}

cfd_status id_pairs_read(const memory_source *memory, const char *path, id_kind first, id_kind second, id_pairs *out)
{
    id_pairs pairs = {.memory = memory};
    mapped_file map;
    TRY(map_file(path, MAP_SEQUENTIAL, true, &map));
    const unsigned char *bytes = map.memory;
    cfd_status status = bytes ? read_bytes(path, bytes, bytes + map.bytes, first, second, &pairs) : CFD_OK;
    unmap_file(&map);
    if (status != CFD_OK) {
        id_pairs_release(&pairs);
        return status;
    }
    *out = pairs;
    return CFD_OK;
}

void id_pairs_release(id_pairs *pairs)
{
    if (pairs->memory) {
        memory_release(pairs->memory, pairs->first_ids);
        memory_release(pairs->memory, pairs->second_ids);
    }
    *pairs = (id_pairs){0};
}
