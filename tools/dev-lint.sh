# ./dev lint: formatting, clang-tidy's bug checks, shell scripts.
need clang-format clang-tidy shellcheck
build_with_tests build
status=0
git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror || status=1
say "clang-tidy"
git ls-files 'src/*.c' | xargs -r -P 2 -n 8 clang-tidy -p build --quiet --extra-arg=-Wno-unknown-warning-option \
    --checks='-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-assignment-in-if-condition,-bugprone-narrowing-conversions,-bugprone-implicit-widening-of-multiplication-result,-bugprone-branch-clone,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-bugprone-macro-parentheses,-bugprone-sizeof-expression,-bugprone-not-null-terminated-result,-bugprone-suspicious-missing-comma,-clang-analyzer-core.NonNullParamChecker,-clang-analyzer-valist.Uninitialized,-clang-analyzer-deadcode.DeadStores,-clang-analyzer-optin.performance.Padding,-clang-analyzer-security.insecureAPI.strcpy' \
    --warnings-as-errors='*' 2>/dev/null || status=1
shellcheck -x -s bash -e SC1091,SC2154,SC2034 dev tools/*.sh .ci/run || status=1
[ "$status" = 0 ] && echo "lint: clean"
exit "$status"
