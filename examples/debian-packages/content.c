/* SPDX-License-Identifier: Apache-2.0 */
/* The two modalities: see content.h. */
#include "content.h"

#include <stdlib.h>
#include <string.h>

/* Words of a description that say nothing of the package, in alphabetical order. */
static const char *const stop_words[] = {"a",    "all",   "an",   "and",     "any",   "are",   "as",      "at",    "based",
                                         "be",   "but",   "by",   "can",     "for",   "from",  "has",     "have",  "if",
                                         "in",   "into",  "is",   "it",      "its",   "like",  "may",     "more",  "not",
                                         "of",   "on",    "one",  "or",      "other", "s",     "several", "so",    "some",
                                         "such", "t",     "than", "that",    "the",   "their", "them",    "there", "these",
                                         "this", "to",    "up",   "use",     "used",  "using", "various", "via",   "was",
                                         "when", "which", "with", "without", "you",   "your"};

static int compare_word(const void *key, const void *entry)
{
    return strcmp(key, *(const char *const *)entry);
}

static int is_stop_word(const char *word)
{
    return bsearch(word, stop_words, sizeof(stop_words) / sizeof(stop_words[0]), sizeof(stop_words[0]), compare_word) !=
           NULL;
}

static int add_tag(content *to, const char *text, size_t length, complaint *problem)
{
    if (to->n == to->capacity) {
        size_t capacity = to->capacity == 0 ? 4096 : to->capacity * 2;
        int32_t *larger = realloc(to->tags, capacity * sizeof(*larger));
        if (larger == NULL) {
            return complain_of_memory(problem);
        }
        to->tags = larger;
        to->capacity = capacity;
    }
    int32_t tag = names_number(&to->vocabulary, text, length, problem);
    if (tag < 0) {
        return -1;
    }
    to->tags[to->n++] = tag;
    return 0;
}

/* ---- words ---- */

/* A letter or digit; bytes beyond ASCII are letters of whatever script. */
static int begins_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* As in "c++" and "gtk+". */
static int goes_on(char c)
{
    return begins_word(c) || c == '+';
}

static int add_words(content *words, const char *text, complaint *problem)
{
    while (*text != '\0') {
        char word[64];
        size_t length = 0;
        if (!begins_word(*text)) {
            text++;
            continue;
        }
        for (; goes_on(*text); text++) {
            if (length + 1 < sizeof(word)) { /* a longer word is cut */
                word[length++] = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
            }
        }
        word[length] = '\0';
        if (!is_stop_word(word) && add_tag(words, word, length, problem) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- debtags ---- */

/* "role::program, use::editing". */
static int add_debtags(content *debtags, const char *text, complaint *problem)
{
    while (*text != '\0') {
        text += strspn(text, " \t,");
        size_t length = strcspn(text, " \t,");
        if (length > 0 && add_tag(debtags, text, length, problem) != 0) {
            return -1;
        }
        text += length;
    }
    return 0;
}

/* ---- both ---- */

static int begin(content *of, int32_t n_items, complaint *problem)
{
    memset(of, 0, sizeof(*of));
    of->offsets = calloc((size_t)n_items + 1, sizeof(*of->offsets));
    if (of->offsets == NULL) {
        return complain_of_memory(problem);
    }
    of->n_items = n_items;
    return 0;
}

int content_of_words(content *words, const packages *all, const id_map *items, complaint *problem)
{
    if (begin(words, items->n, problem) != 0) {
        return -1;
    }
    for (int32_t item = 0; item < items->n; item++) {
        if (add_words(words, all->text + all->of_name[items->old_ids[item]].description, problem) != 0) {
            return -1;
        }
        words->offsets[item + 1] = words->n;
    }
    return 0;
}

int content_of_debtags(content *debtags, const packages *all, const id_map *items, complaint *problem)
{
    if (begin(debtags, items->n, problem) != 0) {
        return -1;
    }
    for (int32_t item = 0; item < items->n; item++) {
        if (add_debtags(debtags, all->text + all->of_name[items->old_ids[item]].debtags, problem) != 0) {
            return -1;
        }
        debtags->offsets[item + 1] = debtags->n;
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts each item's tags and drops repeated ones. */
static void sort_tags(content *of)
{
    size_t kept = 0, start = 0;
    for (int32_t item = 0; item < of->n_items; item++) {
        size_t end = of->offsets[item + 1], first = kept;
        if (end > start) {
            qsort(of->tags + start, end - start, sizeof(*of->tags), ascending);
        }
        for (size_t i = start; i < end; i++) {
            if (kept == first || of->tags[i] != of->tags[kept - 1]) {
                of->tags[kept++] = of->tags[i];
            }
        }
        start = end;
        of->offsets[item + 1] = kept;
    }
    of->n = kept;
}

/* The vocabulary of the tags that at least min_items items have, and the new number of each tag, -1 for the others. */
static int renumber(const content *of, int32_t min_items, name_table *vocabulary, int32_t *new_tags, complaint *problem)
{
    memset(new_tags, 0, (size_t)of->vocabulary.n * sizeof(*new_tags));
    for (size_t i = 0; i < of->n; i++) {
        new_tags[of->tags[i]]++;
    }
    for (int32_t tag = 0; tag < of->vocabulary.n; tag++) {
        int32_t count = new_tags[tag];
        new_tags[tag] = -1;
        if (count >= min_items) {
            const char *name = names_at(&of->vocabulary, tag);
            new_tags[tag] = names_number(vocabulary, name, strlen(name), problem);
            if (new_tags[tag] < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int content_prune(content *of, int32_t min_items, int32_t *n_described, complaint *problem)
{
    name_table vocabulary = {0};
    int32_t *new_tags = malloc(((size_t)of->vocabulary.n + 1) * sizeof(*new_tags));
    if (new_tags == NULL) {
        return complain_of_memory(problem);
    }
    sort_tags(of);
    if (renumber(of, min_items, &vocabulary, new_tags, problem) != 0) {
        names_release(&vocabulary);
        free(new_tags);
        return -1;
    }
    int32_t described = 0;
    size_t kept = 0, start = 0;
    for (int32_t item = 0; item < of->n_items; item++) {
        size_t end = of->offsets[item + 1], first = kept;
        for (size_t i = start; i < end; i++) {
            if (new_tags[of->tags[i]] >= 0) {
                of->tags[kept++] = new_tags[of->tags[i]]; /* still ascending: numbers keep their order */
            }
        }
        start = end;
        of->offsets[item + 1] = kept;
        described += kept > first;
    }
    of->n = kept;
    names_release(&of->vocabulary);
    of->vocabulary = vocabulary;
    free(new_tags);
    *n_described = described;
    return 0;
}

int content_write(const content *of, output *out, const char *tags_file, const char *vocabulary_file, complaint *problem)
{
    if (output_open_file(out, tags_file, problem) != 0) {
        return -1;
    }
    for (int32_t item = 0; item < of->n_items; item++) {
        if (of->offsets[item + 1] == of->offsets[item]) {
            continue;
        }
        fprintf(out->stream, "%ld", (long)item);
        for (size_t i = of->offsets[item]; i < of->offsets[item + 1]; i++) {
            fprintf(out->stream, " %ld", (long)of->tags[i]);
        }
        fputc('\n', out->stream);
    }
    if (output_close_file(out, problem) != 0 || output_open_file(out, vocabulary_file, problem) != 0) {
        return -1;
    }
    for (int32_t tag = 0; tag < of->vocabulary.n; tag++) {
        fprintf(out->stream, "%s\n", names_at(&of->vocabulary, tag));
    }
    return output_close_file(out, problem);
}

void content_release(content *of)
{
    names_release(&of->vocabulary);
    free(of->tags);
    free(of->offsets);
    memset(of, 0, sizeof(*of));
}
