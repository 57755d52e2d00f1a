// Out of memory, once, at each place on the way of a call: the first allocation of a request fails, then of another one the second,
// and so on until a request goes through without reaching it. Each is denied or works; the next one works; the record verifies.
// DOORWARD_FAIL_MALLOC_TELL=1 with DOORWARD_KEEP=1 shows where each allocation failed.
// areas: net, oauth, mcp, gate, connect, audit, store
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BUILD, DESK, startGate, until } from './lib/gate.mjs'
import { askToken, assertion, newAgent, postToken } from './lib/oauth.mjs'
import { figures } from './lib/proc.mjs'
import { json, MODERN_STDIO, modernBasics, startRaw } from './lib/servers.mjs'

const LOADED = join(BUILD, 'tests/torture/fail_malloc.so')
const skip = existsSync(LOADED) ? false : 'skipped: built without tests/torture'
const dir = mkdtempSync(join(tmpdir(), 'doorward-memory-'))
const orders = join(dir, 'orders') // left, failed: fail_malloc.c
let gate, raw, fd, agent, token

const number = (at) => {
  const b = Buffer.alloc(8)
  readSync(fd, b, 0, 8, at)
  return Number(b.readBigInt64LE())
}
// The nth allocation of the daemon from now on fails.
const fail = (n) => {
  const b = Buffer.alloc(8)
  b.writeBigInt64LE(BigInt(n))
  writeSync(fd, b, 0, 8, 0)
}
const left = () => number(0)

// The daemon alone has the allocator that fails.
async function loaded(start) {
  process.env.LD_PRELOAD = LOADED
  try {
    return await start()
  } finally {
    delete process.env.LD_PRELOAD
  }
}
const serversUp = () => until('the servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))

before(async () => {
  if (skip) return
  raw = await startRaw((m, req, res) => json(res, m.method === 'tools/call'
    ? { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: 'pong' }] } } : modernBasics(['ping'], m)))
  writeFileSync(orders, Buffer.alloc(16))
  fd = openSync(orders, 'r+')
  process.env.DOORWARD_FAIL_MALLOC = orders
  // Under the address sanitizer its allocator is behind ours; it must be content with that.
  process.env.ASAN_OPTIONS = [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0'].filter(Boolean).join(':')
  gate = await loaded(() => startGate({
      servers: { http: { url: raw.url }, stdio: { ...MODERN_STDIO, isolation: 'gateway' }, desk: { ...DESK, isolation: 'session' } },
      agents: { max_concurrent_sessions: 10000 }, session: { max_tool_calls: 1000000, rate: '10000000/minute' } }))
  await serversUp()
  agent = await newAgent(gate, 'hungry', { allowedTools: ['http/ping', 'stdio/echo', 'desk/search_faq'] })
  token = (await askToken(gate, agent)).json.access_token
})

after(async () => {
  if (skip) return
  const how = await gate?.stop() // a leak, when a sanitizer looks for them, is found here
  await raw?.stop()
  closeSync(fd)
  rmSync(dir, { recursive: true })
  assert.equal(how?.code, 0)
})

// A request that may be refused or find its connection closed, but not wait for ever.
async function outcome(request) {
  let late
  const waits = new Promise((_, no) => (late = setTimeout(() => no(new Error('it hangs')), 15000)))
  try {
    return await Promise.race([request(), waits])
  } catch (e) {
    if (e.message === 'it hangs') throw e
    return { closed: e.cause?.code ?? e.message }
  } finally {
    clearTimeout(late)
  }
}

const fresh = { headers: { connection: 'close' } }
const callOf = (as, name) => gate.call(as, name, { text: 'pong' }, fresh)
const open = () => gate.operator('POST', '/sessions', { agentId: agent.id }, fresh)
const legacy = (body, more = {}) => fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token, { connection: 'close', ...more }),
  body: JSON.stringify({ jsonrpc: '2.0', ...body }) })

// Each: what comes before, with memory; the request; and how it looks when it worked.
const WAYS = {
  'a token is asked for': {
    prepare: () => assertion(gate, agent),
    request: (client_assertion) => postToken(gate, { grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion }),
    worked: (a) => a.json?.access_token },
  'the tools are listed': {
    request: () => gate.modern(token, 'tools/list', {}, fresh),
    worked: (a) => a.json?.result?.tools?.length === 3 },
  'a tool is called over HTTP': {
    request: () => callOf(token, 'http__ping'),
    worked: (a) => a.json?.result?.content?.[0].text === 'pong' },
  'a tool is called over HTTP with the token of a new session': {
    prepare: async () => (await askToken(gate, agent)).json.access_token,
    request: (as) => callOf(as, 'http__ping'),
    worked: (a) => a.json?.result?.content?.[0].text === 'pong' },
  'a tool is called over stdio': {
    request: () => callOf(token, 'stdio__echo'),
    worked: (a) => a.json?.result?.content?.[0].text === 'pong' },
  'a tool is called over stdio, and its process started for a new session': {
    prepare: async () => (await askToken(gate, agent)).json.access_token,
    request: (as) => gate.call(as, 'desk__search_faq', { query: 'refund' }, fresh),
    worked: (a) => a.json?.result && !a.json.result.isError },
  'a legacy client says hello and calls': {
    request: async () => {
      const hello = await legacy({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } } })
      await hello.text()
      const res = await legacy({ id: 2, method: 'tools/call', params: { name: 'http__ping', arguments: {} } },
        { 'mcp-session-id': hello.headers.get('mcp-session-id') ?? '' })
      return { json: await res.json() }
    },
    worked: (a) => a.json?.result?.content?.[0].text === 'pong' },
  'an operator opens a session': { request: open, worked: (a) => a.json?.access_token },
  'an operator looks at the agents': { request: () => gate.operator('GET', '/agents', undefined, fresh), worked: (a) => a.json?.agents?.length },
}

for (const [what, { prepare, request, worked }] of Object.entries(WAYS))
  test(`${what}: whichever allocation fails, it alone is denied`, { skip }, async () => {
    assert.ok(worked(await outcome(async () => request(await prepare?.()))), 'it works when there is memory')
    const seen = {}
    let n = 0
    for (let through = 0; through < 3;) { // an allocation of another thread may come in between
      const prepared = await prepare?.()
      fail(++n)
      const answer = await outcome(() => request(prepared)).catch((e) => { throw new Error(`allocation ${n}: ${e.message}`) })
      if (left() > 0) await sleep(5) // what follows the answer: the outcome on record
      through = left() > 0 ? through + 1 : 0
      fail(0)
      const code = worked(answer) ? 'worked' : answer.closed ? 'closed' : String(answer.json?.error?.data?.code ?? answer.json?.error ?? JSON.stringify(answer.json))
      seen[code] = (seen[code] ?? 0) + 1
      assert.equal(gate.daemon.exitCode ?? gate.daemon.signalCode, null, `allocation ${n}: the daemon is gone: ${gate.log.slice(-4000)}`)
      const next = await outcome(async () => request(await prepare?.()))
      assert.ok(worked(next), `allocation ${n} failed (${code}), and the next request does not work: ${JSON.stringify(next)}`)
    }
    if (process.env.DOORWARD_KEEP) console.error(what, n, seen)
    assert.ok(n > 5, `only ${n} allocations`)
  })

test('the first calls after the start: whichever allocation fails, it alone is denied', { skip }, async () => {
  const step = Number(process.env.DOORWARD_FAIL_STEP ?? 6) // 1: each, which takes a minute
  for (let n = 1, reached = true; reached; n += step) {
    gate.daemon.kill('SIGTERM')
    assert.deepEqual(await gate.exited, { code: 0, signal: null }, gate.log.slice(-4000))
    await loaded(() => gate.start())
    await serversUp()
    fail(n)
    const opened = await outcome(() => askToken(gate, agent))
    const as = opened.json?.access_token
    const answers = []
    if (as) for (const call of [() => gate.modern(as, 'tools/list', {}, fresh), () => callOf(as, 'http__ping'), () => callOf(as, 'stdio__echo'),
                        () => gate.call(as, 'desk__search_faq', { query: 'refund' }, fresh)])
      answers.push(await outcome(call))
    await sleep(5)
    reached = left() <= 0
    fail(0)
    assert.ok(answers.filter((a) => !a.json?.result).length <= 1, `allocation ${n}: ${JSON.stringify(answers)}`)
    assert.equal(gate.daemon.exitCode ?? gate.daemon.signalCode, null, `allocation ${n}: the daemon is gone: ${gate.log.slice(-4000)}`)
    token = (await askToken(gate, agent)).json.access_token
    for (const { prepare, request, worked } of Object.values(WAYS)) {
      const next = await outcome(async () => request(await prepare?.()))
      assert.ok(worked(next), `allocation ${n} failed, and then: ${JSON.stringify(next)}`)
    }
    if (process.env.DOORWARD_KEEP) console.error('cold', n, opened.json?.error ?? 'token', answers.map((a) => a.closed ?? a.json?.error?.data?.code ?? a.json?.error ?? 'worked').join())
  }
})

test('a reload for which there is no memory is refused, and the old configuration stays', { skip }, async (t) => {
  const { size, sanitized } = figures(gate.daemon.pid)
  if (sanitized) return t.skip('not under a sanitizer') // which needs more itself
  const limit = (bytes) => assert.equal(spawnSync('prlimit', ['--pid', String(gate.daemon.pid), `--as=${bytes}:unlimited`]).status, 0)
  appendFileSync(gate.file, `\n# ${'x'.repeat(1040000)}\n`)
  limit(size * 1024 * 1024)
  const { status } = await gate.operator('POST', '/reload', undefined, fresh)
  limit('unlimited')
  assert.ok(status >= 400, String(status))
  assert.equal((await callOf(token, 'http__ping')).json.result?.content[0].text, 'pong')
  gate.write()
  assert.equal((await gate.operator('POST', '/reload', undefined, fresh)).status, 200)
})

test('the record verifies, and each call that was let through has its outcome on it', { skip }, async () => {
  assert.equal(gate.cli(['audit', 'verify', '--dir', join(gate.dir, 'data/audit')]).status, 0)
  await until('each call to have its outcome', () => {
    const entries = gate.audit()
    const done = new Set(entries.filter((e) => e.event === 'TOOL_RESULT').map((e) => e.intentSeq))
    return entries.filter((e) => e.event === 'TOOL_CALL').every((e) => done.has(e.seq))
  })
})
