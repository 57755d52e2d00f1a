// What is built: typed, small, the same each time, and strict about what may run.
// areas: console
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startGate, TOP } from '../integration/lib/gate.mjs'

let gate
before(async () => (gate = await startGate()))
after(() => gate?.stop())

// fetch would unpack it.
const get = (path, headers = { 'accept-encoding': 'gzip' }) => new Promise((done, fail) => request(gate.admin + path, { headers }, async (res) => {
  const parts = []
  for await (const part of res) parts.push(part)
  done({ status: res.statusCode, headers: res.headers, bytes: Buffer.concat(parts) })
}).on('error', fail).end())
const html = async () => (await get('/', {})).bytes.toString()
const assets = (page) => [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((m) => m[1])

test('the sources are typed without a fault', () => {
  const r = spawnSync(process.execPath, [join(TOP, 'tests/node_modules/typescript/bin/tsc'), '-p', join(TOP, 'console')], { encoding: 'utf8' })
  assert.equal(r.stdout, '')
  assert.equal(r.status, 0)
})

test('all that a browser loads at first is at most 60 KB', async () => {
  const paths = ['/', ...assets(await html())], answers = await Promise.all(paths.map((p) => get(p)))
  assert.equal(paths.length, 4) // page, icon, style, script
  assert.deepEqual(answers.map((a) => a.status), [200, 200, 200, 200])
  const sum = answers.reduce((n, a) => n + a.bytes.length, 0)
  assert.ok(sum <= 60 * 1024, `${sum} bytes`)
})

test('nothing stands in the page itself: no script, no style, no handler, and nothing from elsewhere', async () => {
  const page = await html()
  assert.ok(!/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/.test(page), page)
  const script = (await get(assets(page).find((p) => p.endsWith('.js')), {})).bytes.toString()
  assert.ok(!/https?:\/\/(?!www\.w3\.org\/)/.test(script)) // names of XML's namespaces, and no address
  assert.match((await get('/')).headers['content-security-policy'], /default-src 'none'.*require-trusted-types-for 'script'/)
})

test('the same sources make the same bytes, which the gateway serves under a name that is of their hash', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'doorward-console-'))
  const made = (name) => {
    const r = spawnSync(process.execPath, [join(TOP, 'console/build.mjs'), join(dir, name)], { encoding: 'utf8' })
    assert.equal(r.status, 0, r.stderr)
    return readFileSync(join(dir, name), 'utf8')
  }
  const one = made('one.c')
  assert.equal(made('two.c'), one)
  for (const path of assets(await html())) {
    assert.ok(one.includes(`"${path}"`), path)
    assert.match((await get(path)).headers['cache-control'], /immutable/)
  }
  rmSync(dir, { recursive: true })
})
