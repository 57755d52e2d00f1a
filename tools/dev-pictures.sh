# ./dev pictures: the console's main screens, out of a real gateway, into docs/pictures.
need_build
build_in build
need_npm
need_chromium
DOORWARD_BUILD=$PWD/build node22 tests/browser/pictures.mjs docs/pictures
git status --short docs/pictures
