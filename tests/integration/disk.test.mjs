// The disk is full: a real one, a small one, of the daemon's own. Calls are refused and say why, nothing that was acknowledged is lost,
// and when there is room again all goes on without a hand: the record, the store, the log.
// areas: audit, store, daemon
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, readFileSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startGate, until } from './lib/gate.mjs'
import { makeKey, register } from './lib/oauth.mjs'
import { swarm } from './lib/swarm.mjs'

// A mount of its own, which goes with the process. From outside it is reached through the process's root.
const SMALL = `mkdir disk && mount -t tmpfs -o size=4m none disk && mkdir disk/data && ln -s "/proc/$$/root$PWD/disk/data" data &&
  exec "$@" 2>disk/log`
const may = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0
const skip = may ? false : 'skipped: this machine lets nobody make a small disk (unshare -rm)'
let gate, token, disk
const answered = []

before(async () => {
  if (skip) return
  gate = await startGate({ servers: { desk: { ...swarm(), isolation: 'gateway' } }, audit: { segment_bytes: 65536 },
    session: { max_tool_calls: 100000, rate: 'none' } }, { through: ['unshare', '-rm', 'sh', '-c', SMALL, 'sh'] })
  disk = `/proc/${gate.daemon.pid}/root${gate.dir}/disk`
  await until('the server to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
  token = gate.open(await gate.agent({ allow: ['desk/echo'] })).access_token
})

after(() => gate?.stop())

const call = async (text) => {
  const answer = await gate.call(token, 'desk__echo', { text: `${text} ${'x'.repeat(2000)}` })
  if (answer.json.result) answered.push(text)
  return answer
}

const fill = () => {
  for (let size = 65536; size >= 1; size = size > 1 ? Math.floor(size / 8) : 0)
    try {
      for (;;) appendFileSync(join(disk, 'ballast'), Buffer.alloc(size))
    } catch (e) {
      assert.equal(e.code, 'ENOSPC')
    }
}

test('an agent that cannot be kept is not registered, and calls go on as long as the record has room', { skip }, async () => {
  fill()
  const keys = await Promise.all(Array.from({ length: 30 }, () => makeKey()))
  const outcomes = []
  for (const [i, key] of keys.entries()) outcomes.push(await register(gate, `late-${i}`, key.jwk))
  const refused = outcomes.findIndex((o) => o.status !== 201)
  assert.notEqual(refused, -1, 'there was room')
  assert.equal(outcomes[refused].json.error, 'store_unavailable', JSON.stringify(outcomes[refused].json))
  const known = (await gate.operator('GET', '/agents')).json.agents.map((a) => a.agentId)
  assert.deepEqual(outcomes.map((o, i) => known.includes(`late-${i}`) === (o.status === 201)), outcomes.map(() => true))
  assert.ok((await call('beside it')).json.result)
})

test('on a full disk calls are refused, and what was answered is on record', { skip }, async () => {
  let refused
  for (let i = 0; !refused && i < 1000; i++) {
    const answer = await call(`while it fills ${i}`)
    if (answer.json.error) refused = answer
  }
  assert.equal(refused?.status, 503)
  assert.equal(refused.json.error.data.code, 'audit_unavailable')
  assert.match((await call('and another')).json.error.message, /No space left on device/)
  assert.equal((await fetch(`${gate.url}/readyz`)).status, 503)
  assert.equal((await fetch(`${gate.url}/livez`)).status, 200)
})

test('with room again, calls and registrations go on by themselves, and the record says what it missed', { skip }, async () => {
  unlinkSync(join(disk, 'ballast'))
  await until('calls to be taken', async () => (await call('after')).json.result)
  const { status } = await register(gate, 'after', (await makeKey()).jwk)
  assert.equal(status, 201)
  assert.equal((await fetch(`${gate.url}/readyz`)).status, 200)
  const recovered = await gate.recorded('what was missed', (e) => e.event === 'RECORD_RECOVERED')
  assert.ok(recovered.details.refused > 0)
  assert.equal(gate.cli(['audit', 'verify', '--dir', join(gate.dir, 'data/audit')]).status, 0)
  const intents = gate.audit().filter((e) => e.event === 'TOOL_CALL').map((e) => e.parameters.text.split(' x')[0])
  assert.deepEqual(answered.filter((text) => !intents.includes(text)), [])
  const lines = readFileSync(join(disk, 'log'), 'utf8').trim().split('\n') // the line that found no room may be cut, and none after it
  assert.ok(lines.some((l) => l.includes('"event":"audit_recovered"')), lines.slice(-3).join('\n'))
})

test('files that may not grow are a full disk, too, and end nothing', async () => {
  const other = await startGate({ servers: { desk: { ...swarm(), isolation: 'gateway' } }, session: { max_tool_calls: 1000, rate: 'none' } })
  const may = (bytes) => assert.equal(spawnSync('prlimit', ['--pid', other.daemon.pid, `--fsize=${bytes}:unlimited`]).status, 0)
  try {
    await until('the server to be up', () => other.json(['status']).servers.every((s) => s.state === 'up'))
    const as = other.open(await other.agent({ allow: ['desk/echo'] })).access_token
    const outcome = async () => {
      const { json } = await other.call(as, 'desk__echo', { text: 'x' })
      return json.result?.content[0].text ?? json.error.data.code
    }
    assert.equal(await outcome(), 'x')
    may(10)
    assert.equal(await outcome(), 'audit_unavailable')
    assert.equal((await register(other, 'late', (await makeKey()).jwk)).status, 503)
    may('unlimited')
    await until('calls to be taken', async () => (await outcome()) === 'x')
    assert.equal(other.cli(['audit', 'verify', '--dir', join(other.dir, 'data/audit')]).status, 0)
  } finally {
    assert.equal((await other.stop()).code, 0)
  }
})
