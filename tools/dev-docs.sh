# ./dev docs: writes the pages that come from tables. A test says when one of them has fallen behind.
need_build
build_in build
doorward=$PWD/build/doorward
"$doorward" config reference >docs/CONFIGURATION.md
"$doorward" config schema >docs/doorward.schema.json
"$doorward" errors >docs/errors.md
"$doorward" events >docs/EVENTS.md
"$doorward" metrics >docs/METRICS.md
"$doorward" pipeline | python3 -c '
import re, sys
page = "docs/ARCHITECTURE.md"
text = open(page).read()
block = "".join("    " + line.rstrip() + "\n" for line in sys.stdin)
text = re.sub(r"(<!-- pipeline -->\n).*?(<!-- /pipeline -->)", lambda m: m[1] + "\n" + block + "\n" + m[2], text, flags=re.S)
open(page, "w").write(text)'
git status --short docs
