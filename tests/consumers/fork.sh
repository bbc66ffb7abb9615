# SPDX-License-Identifier: Apache-2.0
# fork/. Called as `sh fork.sh CONSUMERS TREE`.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"
go_to prefix
quietly make -C "$consumers/fork" OUT="$work"
uses_library "$work/fork-recommend" "$prefix"
recommends "$work/fork-recommend"
