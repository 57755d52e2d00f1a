// Somebody sets the machine's clock while sessions are open. A session lives no longer for it; nothing else breaks.
// areas: identity, store, audit, oauth
import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { BUILD, startGate, until } from './lib/gate.mjs'
import { assertion, BEARER, newAgent, postToken } from './lib/oauth.mjs'
import { swarm } from './lib/swarm.mjs'

const LOADED = join(BUILD, 'tests/torture/shift_clock.so')
const skip = existsSync(LOADED) ? false : 'skipped: built without tests/torture'
const DAY = 86400000
const dir = mkdtempSync(join(tmpdir(), 'doorward-clock-'))
const clock = join(dir, 'clock')
// Under the address sanitizer it stands before ours; it must be content with that.
const asan = [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0'].filter(Boolean).join(':')
let gate, fd, agent

// The daemon's wall clock is this much ahead of ours.
const ahead = (ms) => {
  const b = Buffer.alloc(8)
  b.writeBigInt64LE(BigInt(ms))
  writeSync(fd, b, 0, 8, 0)
}

before(async () => {
  if (skip) return
  writeFileSync(clock, Buffer.alloc(8))
  fd = openSync(clock, 'r+')
  gate = await startGate({ servers: { desk: { ...swarm(), isolation: 'gateway' } }, session: { rate: 'none' }, token: { lifetime: '4s' } },
    { through: ['env', `LD_PRELOAD=${LOADED}`, `DOORWARD_CLOCK=${clock}`, `ASAN_OPTIONS=${asan}`] })
  await until('the server to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
  agent = await newAgent(gate, 'traveller', { allowedTools: ['desk/echo'], expiresAt: new Date(Date.now() + 30 * DAY).toISOString() })
})

after(async () => {
  if (skip) return
  ahead(0)
  assert.equal((await gate?.stop())?.code, 0)
  closeSync(fd)
  rmSync(dir, { recursive: true })
})

// The agent's own clock goes with the daemon's, unless it is said otherwise.
const ask = async (ms = 0) => {
  const at = Math.floor((Date.now() + ms) / 1000)
  return postToken(gate, { grant_type: 'client_credentials', client_assertion_type: BEARER,
    client_assertion: await assertion(gate, agent, { iat: at, exp: at + 60 }) })
}
const open = async (ms) => {
  const { status, json } = await ask(ms)
  assert.equal(status, 200, JSON.stringify(json))
  return json.access_token
}
const call = async (token) => {
  const { json } = await gate.call(token, 'desk__echo', { text: 'on time' })
  return json.result?.content[0].text ?? json.error?.data?.code ?? json.error
}

test('set forward by a day, open sessions are over at once and new ones open', { skip }, async () => {
  const token = await open()
  assert.equal(await call(token), 'on time')
  ahead(DAY)
  assert.notEqual(await call(token), 'on time')
  assert.equal(await call(await open(DAY)), 'on time')
  await gate.recorded('its end', (e) => e.event === 'SESSION_EXPIRED')
  ahead(0)
  assert.notEqual(await call(token), 'on time', 'a session that is over stays over')
})

test('set back by a day, a session ends when it would have ended', { skip }, async () => {
  const token = await open()
  const opened = Date.now()
  ahead(-DAY)
  assert.equal(await call(token), 'on time', 'and goes on until then')
  await until('the session to end', async () => (await call(token)) === 'session_ended', 10000)
  assert.ok(Date.now() - opened >= 3900, 'not before its time')
  assert.equal(await call(await open(-DAY)), 'on time')
  ahead(0)
})

test('an assertion of a time that is gone or has not come opens nothing', { skip }, async () => {
  ahead(DAY)
  assert.equal((await ask(0)).json.error, 'invalid_client')
  ahead(0)
  assert.equal((await ask(DAY)).json.error, 'invalid_client')
})

test('an assertion that was used opens no second session because the clock was set back', { skip }, async () => {
  const at = Math.floor(Date.now() / 1000)
  const fields = { grant_type: 'client_credentials', client_assertion_type: BEARER, client_assertion: await assertion(gate, agent, { iat: at, exp: at + 60 }) }
  assert.equal((await postToken(gate, fields)).status, 200)
  ahead(DAY)
  assert.equal((await postToken(gate, fields)).json.error, 'invalid_client')
  ahead(0)
  assert.equal((await postToken(gate, fields)).json.error, 'invalid_client')
})

test('the record keeps its order and its chain, whatever its timestamps say', { skip }, () => {
  assert.equal(gate.cli(['audit', 'verify', '--dir', join(gate.dir, 'data/audit')]).status, 0)
  const entries = gate.audit()
  const times = entries.map((e) => Date.parse(e.timestamp))
  assert.ok(times.some((t, i) => i && t < times[i - 1] - DAY / 2), 'each entry has the time that the clock showed')
  assert.deepEqual(entries.map((e) => e.seq), entries.map((_, i) => entries[0].seq + i))
})
