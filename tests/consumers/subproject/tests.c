/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own tests: what its library has to say. */
int host_main(int argc, char **argv);

int main(int argc, char **argv)
{
    return host_main(argc, argv);
}
