// Servers that wear the gate down: a hundred processes that are killed, flood and answer wrongly, ten thousand calls. What it holds
// afterwards, as the kernel counts it, is what it held before. Longer and with figures: ./dev bench endure.
// areas: connect, execute
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startGate, until } from './lib/gate.mjs'
import { childrenOf, figures, grown } from './lib/proc.mjs'
import { startServer } from './lib/servers.mjs'
import { endMany, each, openMany, swarm, visit } from './lib/swarm.mjs'

const SWARM = Array.from({ length: 100 }, (_, i) => `s${i}`)
const TOOLS = ['echo', 'pid', 'late', 'twice', 'strangers', 'garbage', 'huge', 'never', 'flood']
const notes = mkdtempSync(join(tmpdir(), 'doorward-endure-'))
let gate, token, modern, legacy

before(async () => {
  modern = await startServer('modern_server.mjs', { mode: ['--json'] })
  legacy = await startServer('legacy_server.mjs')
  gate = await startGate({
    servers: {
      ...Object.fromEntries(SWARM.map((name) => [name, swarm()])),
      rude: { ...swarm(), timeout: '1s' },
      rust: { ...swarm('--exits-on-probe', join(notes, 'rust')), write: [notes] },
      modern: { url: modern.url },
      legacy: { url: legacy.url, isolation: 'session' },
    },
    agents: { max_concurrent_sessions: 1000 },
    session: { max_tool_calls: 100000, rate: '10000000/minute' },
  })
  await until('all servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'), 30000)
  token = gate.open(await gate.agent({ id: 'worker', allow: [
    ...SWARM.map((name) => `${name}/pid`), ...SWARM.slice(0, 30).flatMap((name) => [`${name}/echo`, `${name}/flood`]),
    ...TOOLS.map((tool) => `rude/${tool}`), 'rust/echo', 'modern/echo', 'legacy/echo'] })).access_token
})

after(async () => {
  await gate?.stop()
  await modern?.stop()
  await legacy?.stop()
  rmSync(notes, { recursive: true, force: true })
})

// Each call has a connection of its own, so that what the daemon holds between calls is its own affair.
const answer = async (name, args = {}, as = token) => {
  const { json } = await gate.call(as, name, args, { headers: { connection: 'close' } })
  return json.result?.content[0].text ?? json.error.data.code
}
// The protocol sessions that the legacy server keeps.
const held = async () => Number(await (await fetch(`http://127.0.0.1:${legacy.port}/sessions`)).text())
const now = () => figures(gate.daemon.pid)
// As soon as it holds no more than that; connections to servers are closed by and by.
const backTo = (was) => until(`as little as before: ${JSON.stringify(was)}`, () => {
  const is = now()
  if (is.fds > was.fds || is.children > was.children || is.zombies) throw new Error(`it holds ${JSON.stringify(is)}`)
  return is
}, 20000)

test('a hundred processes are started by their first calls, and each call reaches its own', async () => {
  const pids = await each(SWARM, (name) => answer(`${name}__pid`))
  assert.equal(new Set(pids).size, SWARM.length)
  const mine = new Set(childrenOf(gate.daemon.pid).map((p) => String(p.pid)))
  assert.ok(pids.every((pid) => mine.has(pid)), 'all are children of the daemon')
})

test('all of them are killed at once, twice: each comes back by itself, and nothing is left of the dead', async () => {
  const was = await backTo({ fds: Infinity, children: SWARM.length })
  for (let round = 0; round < 2; round++) {
    const before = await each(SWARM, (name) => answer(`${name}__pid`))
    for (const pid of before) process.kill(Number(pid), 'SIGKILL')
    const again = await each(SWARM, (name) => until(`${name} to come back`, async () => {
      const pid = await answer(`${name}__pid`)
      return /^\d+$/.test(pid) && !before.includes(pid) && pid
    }))
    assert.equal(new Set(again).size, SWARM.length)
  }
  await backTo(was)
})

test('thirty flood at once: the others answer meanwhile, and so do they afterwards', async () => {
  const was = now()
  const floods = each(SWARM.slice(0, 30), (name) => answer(`${name}__flood`, { ms: 1000 }), 30)
  for (const name of SWARM.slice(30, 60)) assert.match(await answer(`${name}__pid`), /^\d+$/)
  assert.deepEqual(new Set(await floods), new Set(['after the flood']))
  assert.ok(grown(was, await backTo(was)) < 32, 'what was flooded is not kept')
})

test('answers twice, to others, among garbage, too late, never: the call has its own or none, and the process goes on', async () => {
  const pid = await answer('rude__pid')
  const was = now()
  for (const [how, args, what] of [['twice', {}, 'first'], ['strangers', {}, 'ours'], ['garbage', {}, 'after garbage'],
                                   ['late', { ms: 1500 }, 'upstream_timeout'], ['never', {}, 'upstream_timeout']])
    assert.deepEqual(await each(Array(5).fill(how), () => answer(`rude__${how}`, args)), Array(5).fill(what), how)
  assert.equal(await answer('rude__pid'), pid)
  await backTo(was)
})

test('an answer of 100 MB ends the process before it costs memory', async () => {
  const was = now()
  assert.match(await answer('rude__huge', { mb: 100 }), /^upstream_/)
  await until('it to come back', async () => /^\d+$/.test(await answer('rude__pid')))
  const is = await backTo(was)
  assert.ok(is.peak < was.peak + 64, `the peak grew from ${was.peak} to ${is.peak} MiB`)
})

test('a server that ends when it is probed is asked `initialize` first in the next process, and in those that serve', async () => {
  assert.equal(await answer('rust__echo', { text: 'hello' }), 'hello')
  const firsts = readFileSync(join(notes, 'rust'), 'utf8').trim().split('\n')
  assert.deepEqual([...new Set(firsts)], ['server/discover', 'initialize'])
  assert.equal(firsts.filter((method) => method === 'server/discover').length, 1)
  assert.equal(gate.json(['status']).servers.find((s) => s.name === 'rust').protocol, '2025-11-25')
})

test('a hundred sessions at a legacy server are given back with ours', async () => {
  const sessions = gate.json(['session', 'list']).sessions.length
  const resting = await held()
  const agent = await gate.agent({ id: 'passer-by', allow: ['legacy/echo'] })
  const opened = await openMany(gate, agent.id, 100)
  assert.deepEqual(new Set(await each(opened, (s) => answer('legacy__echo', { text: 'x' }, s.access_token))), new Set(['x']))
  assert.equal(await held(), resting + 100)
  await endMany(gate, opened)
  await until('the server to hold no more', async () => (await held()) === resting)
  assert.equal(gate.json(['session', 'list']).sessions.length, sessions)
})

test('ten thousand calls, through stdio and HTTP, a thousand of them by legacy clients that come and go: it holds what it held before', async () => {
  const names = [...SWARM.slice(0, 20), 'modern', 'legacy']
  const some = (n) => each(Array.from({ length: n }, (_, i) => names[i % names.length]), async (name) =>
    assert.equal(await answer(`${name}__echo`, { text: name }), name), 16)
  const leases = () => gate.json(['session', 'list']).sessions.length
  const visitor = await gate.agent({ id: 'visitor', allow: ['legacy/echo'] })
  const visits = async (n) => assert.deepEqual(new Set(await each(Array(n).fill(visitor.id), (id) => visit(gate, id, 'legacy__echo', 10))), new Set([10]))
  await some(1000)
  await visits(10)
  const was = now()
  const [sessions, open] = [await held(), leases()]
  await some(9000)
  await visits(100)
  const is = await backTo(was)
  assert.equal(leases(), open)
  await until('the server to hold no more', async () => (await held()) === sessions)
  assert.ok(grown(was, is) < 16, `the memory grew from ${was.rss} to ${is.rss} MiB`)
})
