# RST_WARNINGS: the warnings every build has; --enable-werror makes them errors.
AC_DEFUN([RST_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat warnings as errors])])
  RST_CFLAGS="-std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wno-format-nonliteral -Wvla -Wundef -Werror=implicit-function-declaration -fno-strict-aliasing -fstack-protector-strong"
  AS_IF([test "x$enable_werror" = xyes], [RST_CFLAGS="$RST_CFLAGS -Werror"])
  AC_SUBST([RST_CFLAGS])
])

# RST_SANITIZERS: --enable-sanitizers builds with AddressSanitizer and UBSan.
AC_DEFUN([RST_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers], [build with AddressSanitizer and UndefinedBehaviorSanitizer])])
  AS_IF([test "x$enable_sanitizers" = xyes], [
    RST_SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
  ], [RST_SAN=])
  AC_SUBST([RST_SAN])
  AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])

# RST_CHECK_SANITIZERS: CHECK_SAN for the tests of parsers, which are always built with the
# sanitizers where the compiler has them: what they test is mostly that nothing is read past its end.
AC_DEFUN([RST_CHECK_SANITIZERS], [
  AC_CACHE_CHECK([whether the compiler links AddressSanitizer and UBSan], [rst_cv_check_san], [
    rst_save_cflags=$CFLAGS
    CFLAGS="$CFLAGS -fsanitize=address,undefined"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [rst_cv_check_san=yes], [rst_cv_check_san=no])
    CFLAGS=$rst_save_cflags
  ])
  AS_IF([test $rst_cv_check_san = yes],
    [CHECK_SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"],
    [CHECK_SAN=])
  AC_SUBST([CHECK_SAN])
])
