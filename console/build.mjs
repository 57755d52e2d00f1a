// Builds the pages: node build.mjs OUT.c OUT.d  (without them: only says how large the pages are)
//
// One script, one style sheet, one icon, named by the hash of their bytes, and the page that names them; each with its gzip form;
// written as the table that src/console/pages.h declares. The same sources make the same bytes.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const HERE = dirname(fileURLToPath(import.meta.url)), SRC = join(HERE, 'src')
const TARGETS = ['chrome109', 'firefox115', 'safari16.4'] // what knows <dialog>, TextDecoderStream and Array.findLast
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' }

const read = new Set(['build.mjs', 'package-lock.json', 'src/index.html', 'src/icon.svg'].map((f) => join(HERE, f))) // what they are made of

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex')

async function bundled(entry) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(SRC, entry)], absWorkingDir: HERE, metafile: true, bundle: true, minify: true, write: false, format: 'esm', target: TARGETS, charset: 'utf8',
    jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none', logLevel: 'warning' })
  for (const input of Object.keys(metafile.inputs)) read.add(resolve(HERE, input))
  return Buffer.from(outputFiles[0].contents)
}

// Whatever machine packs it, it says so of none: byte 9 of the header is the system.
function packed(bytes) {
  const gzip = gzipSync(bytes, { level: 9 })
  gzip[9] = 255
  return gzip.length < bytes.length ? gzip : null
}

function page(path, bytes, immutable) {
  return { path, type: TYPES[extname(path)], bytes, gzip: packed(bytes), etag: `"${sha(bytes).slice(0, 32)}"`, immutable }
}

function asset(name, bytes) {
  const end = extname(name)
  return page(`/assets/${name.slice(0, -end.length)}-${sha(bytes).slice(0, 16)}${end}`, bytes, true)
}

async function pages() {
  const assets = {
    'main.js': asset('main.js', await bundled('main.tsx')),
    'style.css': asset('style.css', await bundled('style/style.css')),
    'icon.svg': asset('icon.svg', readFileSync(join(SRC, 'icon.svg'))),
  }
  const html = readFileSync(join(SRC, 'index.html'), 'utf8').replace(/\{\{(.*?)\}\}/g, (_, name) => assets[name].path)
  return [page('/index.html', Buffer.from(html), false), ...Object.values(assets)]
}

const array = (name, bytes) => `static const unsigned char ${name}[] = {${bytes.join(',')}};\n`

function table(all) {
  const row = (p, i) => `    {${JSON.stringify(p.path)}, ${JSON.stringify(p.type)}, plain_${i}, ${p.gzip ? `gzip_${i}` : '0'}, ${p.bytes.length}, ` +
    `${p.gzip?.length ?? 0}, ${JSON.stringify(p.etag)}, ${p.immutable}},\n`
  return '/* Made by console/build.mjs. */\n#include "console/pages.h"\n\n' +
    all.map((p, i) => array(`plain_${i}`, p.bytes) + (p.gzip ? array(`gzip_${i}`, p.gzip) : '')).join('') +
    `\nconst struct console_page console_pages[] = {\n${all.map(row).join('')}};\nconst size_t console_page_count = ${all.length};\n`
}

const all = await pages(), [out, depends] = process.argv.slice(2)
if (depends) writeFileSync(depends, `${out}: ${[...read].map((f) => f.replace(/ /g, '\\ ')).join(' ')}\n`)
if (out) writeFileSync(out, table(all))
else for (const p of all) console.log(`${p.path}  ${p.bytes.length} bytes, ${p.gzip?.length ?? p.bytes.length} packed`)
