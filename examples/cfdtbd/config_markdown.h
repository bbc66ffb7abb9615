/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of all keys, as a page. */
#ifndef CONFIG_MARKDOWN_H
#define CONFIG_MARKDOWN_H

#include <cfdtbd.h>

/* Prints docs/configuration.md. The config has every key at its default. Returns the program's exit code. */
int print_config_markdown(const cfd_config *config);

#endif
