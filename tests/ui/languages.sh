#!/bin/sh
# The screens in every language of po/LINGUAS, under LC_ALL=C.UTF-8 LANGUAGE=xx: see
# test_languages.c. REGEN=1 writes the screens anew. A language that lags behind (build-aux/lint
# counts what it lacks) is not held to its screens, only to the rest.
set -u
command -v msgfmt >/dev/null || { echo "skipped: no msgfmt (gettext)" >&2; exit 77; }
srcdir=${srcdir:-.} builddir=${builddir:-.}
export srcdir
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"${PYTHON3:-python3}" "$srcdir/build-aux/lint" --only po --all-languages >"$dir/lacks"
LC_ALL=C.UTF-8
CATALOGUES=$dir
export LC_ALL CATALOGUES
failed=0
while read -r language; do
    mkdir -p "$dir/$language/LC_MESSAGES"
    msgfmt -c -o "$dir/$language/LC_MESSAGES/rstconsole.mo" "$srcdir/po/$language.po" || failed=1
    GOLDENS=yes
    if grep -q "po: $language.po: not translated" "$dir/lacks"; then
        echo "$language lacks sentences: its screens are not compared"
        GOLDENS=no
    fi
    export GOLDENS
    echo "== $language"
    LANGUAGE=$language "$builddir/tests/ui/test_languages" || failed=1
done <"$srcdir/po/LINGUAS"
exit $failed
