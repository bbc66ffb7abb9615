/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of id lists: one pass over the mapped bytes. */
#include "data/id_lists.h"
#include "io/map_file.h"
#include "io/report.h"

#include <string.h>

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

/* ---- one id ---- */

static bool is_digit(unsigned char byte)
{
    return (unsigned)(byte - '0') <= 9;
}

/* How many digits stand at `at`, of which eight bytes can be read, if they are 1 to 7; *id is their number. Else 0. Works on
 * the eight bytes at once, so that neither time nor branches depend on how long an id is. */
static inline size_t read_short(const unsigned char *at, uint64_t *id)
{
    uint64_t digits;
    memcpy(&digits, at, sizeof digits);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    digits = __builtin_bswap64(digits); /* the first byte is the lowest */
#endif
    digits ^= 0x3030303030303030u; /* 0 to 9 where there is a digit */
    uint64_t others = (((digits & 0x7f7f7f7f7f7f7f7fu) + 0x7676767676767676u) | digits) & 0x8080808080808080u;
    if (others == 0) {
        return 0;
    }
    size_t length = (size_t)__builtin_ctzll(others) / 8;
    if (length == 0) {
        return 0;
    }
    digits <<= 64 - 8 * length;           /* zeros in front instead of what follows */
    digits = digits * 10 + (digits >> 8); /* bytes 0, 2, 4, 6 now hold two digits each */
    *id = ((digits & 0xff000000ffu) * 0xf424000000064u + (digits >> 16 & 0xff000000ffu) * 0x271000000001u) >> 32;
    return length;
}

/* Where the digits at `at` end. A number that is too large may end early, but is larger than every id by then. */
static inline const unsigned char *read_number(const unsigned char *at, const unsigned char *end, uint64_t *id)
{
    size_t length = end - at >= 8 ? read_short(at, id) : 0;
    if (length > 0) {
        return at + length;
    }
    uint64_t value = 0;
    while (at < end && is_digit(*at) && value <= ID_LARGEST) {
        value = value * 10 + (uint64_t)(*at - '0');
        at++;
    }
    *id = value;
    return at;
}

/* ---- all ids ---- */

/* Room for more pairs, from what part of the file gave so many: then the arrays are seldom copied, and never when the lines
 * are alike throughout. */
static cfd_status make_room(id_pairs *pairs, size_t read, size_t left)
{
    enum { AT_FIRST = 4096 };
    size_t most = pairs->n + left / 2 + 1; /* a pair takes two bytes at least */
    size_t likely = AT_FIRST;
    if (pairs->n > 0) {
        likely = pairs->n + AT_FIRST + (size_t)((double)pairs->n / (double)read * (double)left * 1.05);
    }
    size_t needed = likely < most ? likely : most;
    TRY(memory_grow(pairs->memory, &pairs->first_ids, &pairs->first_capacity, needed, sizeof *pairs->first_ids,
                    "a file of ids"));
    return memory_grow(pairs->memory, &pairs->second_ids, &pairs->second_capacity, needed, sizeof *pairs->second_ids,
                       "a file of ids");
}

static cfd_status read_bytes(const char *path, const unsigned char *begin, const unsigned char *end, id_kind first,
                             id_kind second, id_pairs *pairs)
{
    uint64_t first_below = first.count ? (uint64_t)first.count : (uint64_t)ID_LARGEST + 1;
    uint64_t second_below = second.count ? (uint64_t)second.count : (uint64_t)ID_LARGEST + 1;
    const unsigned char *at = begin;
    /* Of *pairs, here so that they can stay in registers. */
    int32_t *first_ids = NULL;
    int32_t *second_ids = NULL;
    size_t n = 0;
    size_t room = 0;
    id_extent firsts = {0};
    id_extent seconds = {0};
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
        bool is_first = owner < 0;
        uint64_t id;
        at = read_number(token, end, &id);
        if (at == token || (at < end && !ends_token(*at)) || id >= (is_first ? first_below : second_below)) {
            return refuse(path, line, token, end, is_first ? first : second);
        }
        if (is_first) {
            owner = (int32_t)id;
            extend(&firsts, owner, line);
            continue;
        }
        if (n == room) {
            pairs->n = n;
            TRY(make_room(pairs, (size_t)(at - begin), (size_t)(end - at)));
            room = pairs->first_capacity < pairs->second_capacity ? pairs->first_capacity : pairs->second_capacity;
            first_ids = pairs->first_ids;
            second_ids = pairs->second_ids;
        }
        first_ids[n] = owner;
        second_ids[n++] = (int32_t)id;
        extend(&seconds, (int32_t)id, line);
    }
    pairs->n = n;
    pairs->first = firsts;
    pairs->second = seconds;
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
