#!/bin/sh
# The rules of the house (build-aux/lint).
exec "$PYTHON3" "$srcdir/build-aux/lint" --builddir "$builddir"
