/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, one file each. argv[0] is the command's name; each returns the program's exit code. */
#ifndef COMMANDS_H
#define COMMANDS_H

int train_command(int argc, char **argv);
int evaluate_command(int argc, char **argv);
int recommend_command(int argc, char **argv);
int explain_command(int argc, char **argv);
int config_command(int argc, char **argv);
int info_command(int argc, char **argv);
int export_command(int argc, char **argv);
int report_command(int argc, char **argv);
int bench_command(int argc, char **argv);

#endif
