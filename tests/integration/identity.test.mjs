// Agents: registered, shown, rotated, disabled, deleted, by command line and by API; and what becomes of their sessions.
// areas: admin
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DESK, startGate } from './lib/gate.mjs'
import { askToken, makeKey, newAgent, register, token } from './lib/oauth.mjs'

const VIEWER = 'viewer-0123456789abcdef'
const OPERATOR = 'operator-0123456789abcdef'
const ORDER = { orderId: 'ORD-A1B2C3D4' }
let gate

before(async () => {
  process.env.TEST_VIEWER_TOKEN = VIEWER
  process.env.TEST_OPERATOR_TOKEN = OPERATOR
  gate = await startGate({ servers: { desk: DESK }, agents: { max_lifetime: '30d' }, operators: [
    { name: 'vera', role: 'viewer', token: '${TEST_VIEWER_TOKEN}' }, { name: 'otto', role: 'operator', token: '${TEST_OPERATOR_TOKEN}' }] })
})
after(async () => gate?.stop())

const works = async (access) => (await gate.call(access, 'desk__lookup_order', ORDER)).status

for (const alg of ['EdDSA', 'ES256'])
  test(`by command line, with an ${alg} key: create, list, show, use, disable, enable, delete`, async () => {
    const id = `cli-${alg.toLowerCase()}`, key = join(gate.dir, `${id}.jwk`)
    const made = gate.json(['agent', 'create', '--id', id, '--type', 'customer-support', '--version', '2.4.1', '--owner', 'support-team',
      '--env', 'staging', '--expires', '12h', '--max-sessions', '3', '--allow', 'desk/lookup_order', '--deny', 'desk/delete_*',
      '--generate', '--alg', alg, '--key-file', key])
    assert.equal(statSync(key).mode & 0o777, 0o600)
    const shown = gate.json(['agent', 'show', id])
    const { createdAt, expiresAt, keys, ...rest } = shown
    assert.deepEqual(rest, { agentId: id, agentType: 'customer-support', version: '2.4.1', deploymentEnv: 'staging', owner: 'support-team',
      enabled: true, maxConcurrentSessions: 3, allowedTools: ['desk/lookup_order'], deniedTools: ['desk/delete_*'] })
    assert.equal(made.agentId, id)
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.parse(createdAt) - 12 * 3600e3) < 5000)
    assert.deepEqual(keys.map((k) => [k.alg, k.retiresAt]), [[alg, null]])
    assert.ok(gate.json(['agent', 'list']).agents.some((a) => a.agentId === id))
    const access = gate.token({ id, key })
    assert.equal(await works(access), 200)
    gate.cli(['agent', 'disable', id, '-c', gate.file])
    assert.equal(await works(access), 401)
    assert.notEqual(gate.cli(['token', '--url', gate.url, '--agent', id, '--key', key], { ok: false }).status, 0)
    gate.cli(['agent', 'enable', id, '-c', gate.file])
    assert.equal(await works(gate.token({ id, key })), 200)
    gate.cli(['agent', 'delete', id, '-c', gate.file])
    assert.notEqual(gate.cli(['agent', 'show', id, '-c', gate.file], { ok: false }).status, 0)
    for (const event of ['AGENT_CREATED', 'SESSION_CREATED', 'AGENT_DISABLED', 'SESSION_ENDED', 'AGENT_ENABLED', 'AGENT_DELETED'])
      await gate.recorded(event, (e) => e.event === event && e.agentId === id)
  })

test('the private key is printed once when no file is named, and is nowhere on the disk', () => {
  const out = gate.cli(['agent', 'create', '-c', gate.file, '--id', 'printed', '--type', 't', '--version', '1', '--owner', 'o', '--env', 'production',
    '--generate']).stdout
  const d = /"d":\s*"([\w-]{43})"/.exec(out)?.[1]
  assert.ok(d, out)
  assert.ok(!readFileSync(join(gate.dir, 'data/doorward.db')).includes(d))
  assert.ok(!JSON.stringify(gate.json(['agent', 'show', 'printed'])).includes(d))
})

test('a public key made elsewhere is registered, a private one is sent back', async () => {
  const key = await makeKey('ES256'), file = join(gate.dir, 'public.jwk')
  writeFileSync(file, JSON.stringify(key.jwk))
  gate.json(['agent', 'create', '--id', 'own-key', '--type', 't', '--version', '1', '--owner', 'o', '--env', 'production', '--public-key', file])
  assert.equal((await askToken(gate, { id: 'own-key', ...key })).status, 200)
  const other = await makeKey()
  const refused = await register(gate, 'careless', other.privateJwk)
  assert.equal(refused.status, 400)
  assert.match(refused.json.message, /private key/)
})

test('no two agents have one key: not at once, not after a rotation, not after a deletion', async () => {
  const key = await makeKey(), next = await makeKey()
  assert.equal((await register(gate, 'first', key.jwk)).status, 201)
  assert.equal((await register(gate, 'first', (await makeKey()).jwk)).status, 409)
  const taken = await register(gate, 'second', key.jwk)
  assert.deepEqual([taken.status, taken.json.error], [409, 'already_exists'])
  assert.equal((await gate.operator('POST', '/agents/first/rotate', { publicKey: next.jwk, overlap: '0s' })).status, 200)
  assert.equal((await register(gate, 'second', key.jwk)).status, 409)
  assert.equal((await gate.operator('DELETE', '/agents/first')).status, 200)
  for (const k of [key, next]) assert.equal((await register(gate, 'second', k.jwk)).status, 409)
  const racing = await makeKey()
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => register(gate, `racer-${i}`, racing.jwk)))
  assert.deepEqual(answers.map((a) => a.status).sort(), [201, 409, 409, 409, 409, 409])
})

test('an expiry is always there and never beyond the bound', async () => {
  const day = 86400e3, at = (ms) => new Date(Date.now() + ms).toISOString()
  const made = await register(gate, 'default-expiry', (await makeKey()).jwk)
  assert.ok(Math.abs(Date.parse(made.json.expiresAt) - Date.now() - day) < 5000)
  for (const expiresAt of [at(31 * day), at(-1000), '1970-01-01T00:00:00Z', 'never', '']) {
    const { status, json } = await register(gate, 'bad-expiry', (await makeKey()).jwk, { expiresAt })
    if (expiresAt !== '') assert.deepEqual([expiresAt, status, json.error], [expiresAt, 400, 'invalid_params'])
    else assert.equal(status, 201) // an empty one is none: the default
  }
})

test('after a rotation both keys prove the agent, with and without a kid, until the overlap is over', async () => {
  const agent = await newAgent(gate, 'turning', { maxConcurrentSessions: 20 }), next = { id: 'turning', ...await makeKey('ES256') }
  const access = await token(gate, agent)
  const turned = await gate.operator('POST', '/agents/turning/rotate', { publicKey: next.jwk, overlap: '2s' })
  assert.equal(turned.json.keys.length, 2)
  const kids = turned.json.keys.map((k) => k.kid)
  for (const [key, kid] of [[agent, kids[0]], [next, kids[1]]]) {
    assert.equal((await askToken(gate, key)).status, 200)
    assert.equal((await askToken(gate, key, { header: { kid } })).status, 200)
  }
  assert.equal((await askToken(gate, next, { header: { kid: kids[0] } })).status, 401)
  assert.equal((await gate.modern(access, 'tools/list')).status, 200) // what the old key opened goes on
  await new Promise((done) => setTimeout(done, Date.parse(turned.json.keys[0].retiresAt) - Date.now() + 50))
  assert.equal((await askToken(gate, agent)).status, 401)
  assert.equal((await askToken(gate, next)).status, 200)
})

test('a rotation without overlap ends what the old key opened', async () => {
  const agent = await newAgent(gate, 'stolen'), next = { id: 'stolen', ...await makeKey() }
  const access = await token(gate, agent)
  await gate.operator('POST', '/agents/stolen/rotate', { publicKey: next.jwk, overlap: '0s' })
  assert.equal((await gate.modern(access, 'tools/list')).status, 401)
  assert.equal((await askToken(gate, agent)).status, 401)
  assert.equal((await askToken(gate, next)).status, 200)
})

test('agents survive a restart, sessions do not', async () => {
  const agent = await newAgent(gate, 'lasting', { allowedTools: ['desk/lookup_order'] })
  const access = await token(gate, agent)
  gate.daemon.kill('SIGTERM')
  assert.equal((await gate.exited).code, 0)
  await gate.start()
  const { status, json } = await gate.modern(access, 'tools/list')
  assert.deepEqual([status, json.error.data.code], [401, 'session_ended'])
  assert.equal(await works(await token(gate, agent)), 200)
})

test('a role opens what it is for and no more', async () => {
  const as = (token) => ({ token })
  const agent = await newAgent(gate, 'roles')
  assert.equal((await gate.operator('GET', '/agents', undefined, as(VIEWER))).status, 200)
  for (const [who, what] of [[VIEWER, ['POST', '/sessions', { agentId: agent.id }]], [VIEWER, ['DELETE', '/agents/roles']],
                             [OPERATOR, ['DELETE', '/agents/roles']], [OPERATOR, ['POST', '/reload']],
                             [OPERATOR, ['POST', '/agents', {}]]]) {
    const { status, json } = await gate.operator(...what, ...(what.length < 3 ? [undefined] : []), as(who))
    assert.deepEqual([what[1], status, json.error], [what[1], 403, 'forbidden'])
  }
  const opened = await gate.operator('POST', '/sessions', { agentId: agent.id, user: 'alice' }, as(OPERATOR))
  assert.equal(opened.status, 201)
  const entry = await gate.recorded('the session', (e) => e.event === 'SESSION_CREATED' && e.sessionId === opened.json.sessionId)
  assert.deepEqual([entry.actor, entry.actorType, entry.triggerUserId], ['otto', 'HUMAN', 'alice'])
})

test('without an operator\'s token nothing opens, and a page in a browser gets nowhere', async () => {
  const none = await gate.operator('GET', '/agents', undefined, { token: null })
  assert.deepEqual([none.status, none.json.error], [401, 'unauthenticated'])
  assert.match(none.headers.get('www-authenticate'), /^Bearer/)
  const access = await token(gate, await newAgent(gate, 'no-operator'))
  for (const bad of ['x', `${VIEWER}x`, VIEWER.slice(1), access]) // an agent's token is no operator's
    assert.equal((await gate.operator('GET', '/status', undefined, { token: bad })).status, 401)
  await gate.recorded('the attempt', (e) => e.event === 'AUTH_FAILED' && e.actorType === 'HUMAN')
  const origin = (value) => gate.operator('GET', '/status', undefined, { headers: { origin: value } })
  assert.equal((await origin('https://evil.example')).status, 403)
  assert.equal((await origin('null')).status, 403)
  assert.equal((await origin(gate.admin)).status, 200)
  const form = await fetch(`${gate.admin}/admin/v1/sessions`, { method: 'POST', body: '{"agentId":"no-operator"}',
    headers: { authorization: `Bearer ${gate.operatorToken()}`, 'content-type': 'text/plain' } })
  assert.equal(form.status, 415)
})

test('under another name the operators\' API is not there (DNS rebinding)', async () => {
  const { request } = await import('node:http')
  const status = (host) => new Promise((done, failed) =>
    request(`${gate.admin}/admin/v1/status`, { headers: { host, authorization: `Bearer ${gate.operatorToken()}` } },
      (res) => done(res.resume().statusCode)).on('error', failed).end())
  assert.equal(await status(`127.0.0.1:${gate.adminPort}`), 200)
  assert.equal(await status(`localhost:${gate.adminPort}`), 200)
  assert.equal(await status('evil.example'), 403)
  assert.equal(await status(`evil.example:${gate.adminPort}`), 403)
  assert.equal(await status(`127.0.0.1:${gate.port}`), 403)
})

test('requests that are wrong say what is wrong', async () => {
  const jwk = (await makeKey()).jwk
  for (const [more, word] of [[{ allowedTools: ['desk/*'] }, /allowedTools\[0\].*denied tools only/], [{ maxConcurrentSessions: 0 }, /maxConcurrentSessions/],
                              [{ owner: '' }, /owner/], [{ deploymentEnv: 'moon' }, /deploymentEnv/], [{ allowedtools: [] }, /allowedtools/],
                              [{ publicKey: 'x' }, /publicKey/], [{ publicKey: { kty: 'oct', k: 'AAAA' } }, /publicKey/], [{ version: '1\u0000' }, /version/]]) {
    const { status, json } = await register(gate, 'wrong', jwk, more)
    assert.deepEqual([status, json.error], [400, 'invalid_params'])
    assert.match(json.message, word)
  }
  const { status, headers } = await gate.operator('PUT', '/agents')
  assert.deepEqual([status, headers.get('allow')], [405, 'GET, POST'])
})
