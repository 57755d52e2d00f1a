// What operators change is on record: who did it, to what, and what is different from then on. Never a secret.
// areas: record, operators, reload
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { DESK, startGate } from './lib/gate.mjs'
import { makeKey, newAgent, register } from './lib/oauth.mjs'

const EVE = 'eve-secret-0123456789', EVE_NEW = 'eve-other-secret-9876543210'
let gate

beforeEach(async () => {
  process.env.EVE_TOKEN = EVE
  gate = await startGate({ servers: { desk: DESK }, operators: [{ name: 'eve', role: 'admin', token: '${EVE_TOKEN}' }] })
})
afterEach(async () => gate?.stop('SIGKILL'))

const as = (method, path, body) => gate.operator(method, path, body, { token: EVE })
const last = (event) => gate.recorded(event, (e) => e.event === event)
const by = (e) => [e.actorType, e.actor, e.result]

test('each change of an agent is told with what it may do from then on', async () => {
  const key = await makeKey(), { publicKey, ...body } = { publicKey: key.jwk, agentId: 'clerk', agentType: 'support', version: '1.2', deploymentEnv: 'staging',
    owner: 'the desk', allowedTools: ['desk/lookup_order'], deniedTools: ['desk/issue_*'], maxConcurrentSessions: 3 }
  const { status, json } = await as('POST', '/agents', { ...body, publicKey })
  assert.equal(status, 201)
  const created = await last('AGENT_CREATED')
  assert.deepEqual(by(created), ['HUMAN', 'eve', 'success'])
  assert.deepEqual([created.agentId, created.agentType, created.agentVersion, created.deploymentEnv], ['clerk', 'support', '1.2', 'staging'])
  assert.deepEqual(created.details, { allowedTools: ['desk/lookup_order'], deniedTools: ['desk/issue_*'], expiresAt: json.expiresAt,
    keys: [{ kid: json.keys[0].kid, retiresAt: null }], maxConcurrentSessions: 3, owner: 'the desk' })

  const turned = await as('POST', '/agents/clerk/rotate', { publicKey: (await makeKey()).jwk })
  const rotated = await last('AGENT_ROTATED')
  assert.deepEqual([by(rotated), rotated.details.keys], [['HUMAN', 'eve', 'success'], turned.json.keys.map(({ kid, retiresAt }) => ({ kid, retiresAt }))])

  gate.open({ id: 'clerk' })
  await as('POST', '/agents/clerk/disable')
  const disabled = await last('AGENT_DISABLED')
  assert.deepEqual([by(disabled), disabled.details], [['HUMAN', 'eve', 'success'], { sessionsEnded: 1 }])
  assert.deepEqual(by(await last('SESSION_ENDED')), ['HUMAN', 'eve', 'success'])
  await as('POST', '/agents/clerk/enable')
  assert.deepEqual(by(await last('AGENT_ENABLED')), ['HUMAN', 'eve', 'success'])
  gate.open({ id: 'clerk' })
  await as('DELETE', '/agents/clerk')
  const deleted = await last('AGENT_DELETED')
  assert.deepEqual([by(deleted), deleted.details], [['HUMAN', 'eve', 'success'], { sessionsEnded: 1 }])
})

test('what an operator opens, ends, stops and revives has their name', async () => {
  await newAgent(gate, 'clerk', { allowedTools: ['desk/lookup_order'] })
  const { json: session } = await as('POST', '/sessions', { agentId: 'clerk', user: 'alice' })
  assert.deepEqual(by(await last('SESSION_CREATED')), ['HUMAN', 'eve', 'success'])
  await as('POST', `/sessions/${session.sessionId}/end`, { reason: 'done' })
  assert.deepEqual(by(await last('SESSION_ENDED')), ['HUMAN', 'eve', 'success'])
  await as('POST', '/agents/clerk/kill', { reason: 'it went wild' })
  const kill = await last('KILL')
  assert.deepEqual([by(kill), kill.policyDecision.reason], [['HUMAN', 'eve', 'success'], 'it went wild'])
  await as('POST', '/agents/clerk/revive', { reason: 'tamed' })
  assert.deepEqual(by(await last('REVIVED')), ['HUMAN', 'eve', 'success'])
})

test('a reload tells the keys that changed, without their values, and the policies before and after', async () => {
  const before = (await gate.operator('GET', '/policies')).json.version
  mkdirSync(join(gate.dir, 'policies'), { recursive: true })
  writeFileSync(join(gate.dir, 'rules.cedar'), 'permit(principal, action, resource);')
  gate.write({ servers: { desk: { ...DESK, timeout: '7s', env: { API_KEY: 'a-secret-of-a-server' } } }, session: { rate: '77/minute' },
    policy: { files: [{ file: 'rules.cedar' }] } })
  assert.equal((await as('POST', '/reload')).status, 200)
  const reloaded = await last('CONFIG_RELOADED'), after = (await gate.operator('GET', '/policies')).json.version
  assert.deepEqual(by(reloaded), ['HUMAN', 'eve', 'success'])
  assert.deepEqual(reloaded.details.changed.toSorted(), ['policy.files', 'servers.desk.env', 'servers.desk.timeout', 'session.rate'])
  assert.deepEqual([reloaded.details.changedKeys, reloaded.details.policies], [4, { after, before }])
  assert.notEqual(after, before)
  assert.doesNotMatch(JSON.stringify(reloaded), /a-secret-of-a-server|77.minute/)
})

test('a reload without a change says so; policies whose file changed are another version', async () => {
  writeFileSync(join(gate.dir, 'rules.cedar'), 'permit(principal, action, resource);')
  gate.write({ policy: { files: [{ file: 'rules.cedar' }] } })
  await as('POST', '/reload')
  const first = await last('CONFIG_RELOADED')
  writeFileSync(join(gate.dir, 'rules.cedar'), '@id("other") permit(principal, action, resource);')
  await as('POST', '/reload')
  const second = await gate.recorded('the second reload', (e) => e.event === 'CONFIG_RELOADED' && e.seq > first.seq)
  assert.deepEqual(second.details.changed, [])
  assert.equal(second.details.policies.before, first.details.policies.after)
  assert.notEqual(second.details.policies.after, second.details.policies.before)
})

test('a configuration that is not taken is on record with its faults, whoever asked for it', async () => {
  gate.write({ session: { rate: 'sometimes' } })
  assert.equal((await as('POST', '/reload')).status, 400)
  const refused = await last('CONFIG_REFUSED')
  assert.deepEqual(by(refused), ['HUMAN', 'eve', 'denied'])
  assert.equal(refused.details.faults.length, 1)
  assert.match(refused.details.faults[0], /doorward\.yaml:\d+:\d+: session\.rate: /)
  gate.daemon.kill('SIGHUP')
  const bySignal = await gate.recorded('the signal', (e) => e.event === 'CONFIG_REFUSED' && e.seq > refused.seq)
  assert.deepEqual([by(bySignal), bySignal.details], [['HUMAN', null, 'denied'], refused.details])
})

test('a new token of an operator is told by its key alone', async () => {
  writeFileSync(join(gate.dir, 'eve'), EVE_NEW, { mode: 0o600 })
  gate.write({ operators: [{ name: 'eve', role: 'admin', token: `file:${join(gate.dir, 'eve')}` }] })
  await as('POST', '/reload')
  const { details } = await last('CONFIG_RELOADED')
  assert.deepEqual(details.changed, ['operators[0].token'])
  assert.doesNotMatch(JSON.stringify(gate.audit()), new RegExp(`${EVE}|${EVE_NEW}`))
})

test('a request that changes nothing because it is refused leaves no entry of a change', async () => {
  const before = gate.audit().length
  assert.notEqual((await as('POST', '/agents/nobody/disable')).status, 200)
  assert.equal((await register(gate, '', {})).status >= 400, true)
  assert.equal(gate.audit().length, before)
})
