// AuthZEN (OpenID Authorization API 1.0): others ask the decision point that calls go through. The shapes of questions and answers are
// those of the specification's schemas; what is refused is what its certification scenario refuses.
// areas: admin, policy, gate
import Ajv2020 from 'ajv/dist/2020.js'
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { authority } from './lib/certs.mjs'
import { DESK, startGate, until } from './lib/gate.mjs'
import { wire } from './lib/wire.mjs'

// openid/authzen api/schemas: decision-base.json and access-evaluations-response.json, with an open context as the text has it.
const DECISION = { type: 'object', required: ['decision'], additionalProperties: false,
  properties: { decision: { type: 'boolean' }, context: { type: 'object' } } }
const DECISIONS = { type: 'object', required: ['evaluations'], additionalProperties: false,
  properties: { evaluations: { type: 'array', items: DECISION } } }
const ajv = new Ajv2020()
const isDecision = ajv.compile(DECISION), isDecisions = ajv.compile(DECISIONS)

const VIEWER = 'a-viewers-token-which-is-long-enough'
const POLICIES = `
  @id("read") permit (principal in AgentType::"customer-support", action == Action::"lookup_order", resource);
  @id("under-investigation") @reason("this order is under investigation")
    forbid (principal, action, resource) when { context.input has orderId && context.input.orderId == "ORD-FORBIDDE" };
  @id("small") permit (principal, action == Action::"issue_refund", resource) when { context.input.amount.lessThan(decimal("100.0")) };
  @id("large") @approve("two") permit (principal, action == Action::"issue_refund", resource)
    when { context.input.amount.greaterThanOrEqual(decimal("100.0")) };
  @id("gold") permit (principal, action == Action::"check_shipping", resource)
    when { context.session has tier && context.session.tier == "gold" && context.session.calls < 10 && context.session.age < 60 };
  @id("tainted") forbid (principal, action == Action::"check_shipping", resource) when { context.session.taints.contains("web") };
  @id("office") permit (principal, action == Action::"search_faq", resource)
    when { context.session has source && context.session.source.isInRange(ip("203.0.113.0/24")) && context.time.hour < 12
           && context.session.scopes.contains("faq") };
  @id("urgent") @risk("medium") @limit("2/hour") @set("input.priority = \\"high\\"") @mask("output.ticketId, output.subject")
    permit (principal, action == Action::"create_ticket", resource)
    when { principal.environment == "production" && principal.owner == "support-team" && principal.version == "2.4.1" };
  @id("unfit") @set("input.customerId = 7") permit (principal, action == Action::"delete_account", resource);
`
const agent = (id, properties) => ({ type: 'agent', id, ...(properties && { properties }) })
const tool = (name) => ({ type: 'tool', id: `desk/${name}` })
const asks = (id, name, input, context = {}) =>
  ({ subject: agent(id), action: { name, ...(input && { properties: { input } }) }, resource: tool(name), context })
const order = { orderId: 'ORD-A1B2C3D4' }
const lookup = asks('worker', 'lookup_order', order)

let gate
async function post(path, body, { token = VIEWER, headers = {}, raw } = {}) {
  const res = await fetch(gate.admin + path, { method: 'POST', body: raw ?? JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers } })
  const text = await res.text()
  return { status: res.status, headers: res.headers, text, json: res.headers.get('content-type') === 'application/json' ? JSON.parse(text) : undefined }
}
async function decide(question) {
  const { status, json, text } = await post('/access/v1/evaluation', question)
  assert.equal(status, 200, text)
  assert.ok(isDecision(json), text)
  return json
}
async function decideAll(question) {
  const { status, json, text } = await post('/access/v1/evaluations', question)
  assert.equal(status, 200, text)
  assert.ok(isDecisions(json), text)
  return json.evaluations
}
const decisions = async (question) => (await decideAll(question)).map((e) => e.decision)

before(async () => {
  process.env.VIEWER_TOKEN = VIEWER
  gate = await startGate({ servers: { desk: DESK }, operators: [{ name: 'other-gate', role: 'viewer', token: '${VIEWER_TOKEN}' }],
    session: { max_tool_calls: 1000, rate: 'none' } })
  mkdirSync(join(gate.dir, 'policies'))
  writeFileSync(join(gate.dir, 'policies/desk.cedar'), POLICIES)
  gate.write({ policy: { files: [{ file: 'policies/*.cedar' }] } })
  gate.cli(['reload', '-c', gate.file])
  await gate.agent({ id: 'worker', allow: ['desk/lookup_order'] })
  await gate.agent({ id: 'seller', type: 'marketing' })
})
after(() => gate?.stop())

describe('one evaluation', () => {
  test('is decided as the call would be, and says by which policies', async () => {
    const { decision, context } = await decide(lookup)
    assert.equal(decision, true)
    assert.deepEqual(context.policies, ['read'])
    assert.match(context.policyVersion, /^[0-9a-f]{32}$/)
    assert.equal((await decide(asks('seller', 'lookup_order', order))).decision, false)
  })

  test('a forbid wins, with its own words', async () => {
    const { decision, context } = await decide(asks('worker', 'lookup_order', { orderId: 'ORD-FORBIDDE' }))
    assert.deepEqual([decision, context.code, context.policies], [false, 'policy_denied', ['under-investigation']])
    assert.match(context.reason, /this order is under investigation/)
  })

  test('where people would have to approve, the answer is no, and how many', async () => {
    assert.equal((await decide(asks('worker', 'issue_refund', { ...order, amount: 99.99 }))).decision, true)
    const { decision, context } = await decide(asks('worker', 'issue_refund', { ...order, amount: 100 }))
    assert.deepEqual([decision, context.code, context.approval, context.policies], [false, 'approval_needed', { people: 2, approvers: [] }, ['large']])
  })

  test('what the policies ask for besides stands in obligations', async () => {
    const { decision, context } = await decide(asks('worker', 'create_ticket', { subject: 'it burns' }))
    assert.equal(decision, true)
    assert.deepEqual(context.obligations, [
      { id: 'risk', risk: 'medium' },
      { id: 'limit:urgent', limit: { policy: 'urgent', calls: 2, milliseconds: 3600000 } },
      { id: 'set', set: { changed: ['input.priority'], input: { subject: 'it burns', priority: 'high' } } },
      { id: 'mask', mask: ['output.ticketId', 'output.subject'] },
    ])
  })

  test('arguments that the tool would not take as the policies change them are denied', async () => {
    const { decision, context } = await decide(asks('worker', 'delete_account', { customerId: 'c1' }))
    assert.deepEqual([decision, context.code, context.policies, context.obligations], [false, 'policy_denied', ['unfit'], undefined])
    assert.match(context.reason, /as the policies change them.*customerId/)
  })

  test('arguments may stand in the context, but never in both places', async () => {
    const question = (input) => ({ ...lookup, action: { name: 'lookup_order' }, context: { input } })
    assert.equal((await decide(question(order))).decision, true)
    assert.equal((await decide(question({ orderId: 'ORD-FORBIDDE' }))).decision, false)
    const both = await post('/access/v1/evaluation', { ...lookup, context: { input: order } })
    assert.equal(both.status, 400)
    assert.match(both.text, /not both/)
  })

  test('tools/call is every tool\'s action; the name of another tool is not', async () => {
    assert.equal((await decide({ ...lookup, action: { ...lookup.action, name: 'tools/call' } })).decision, true)
    const other = await decide({ ...lookup, action: { ...lookup.action, name: 'search_faq' } })
    assert.equal(other.decision, false)
    assert.match(other.context.reason, /lookup_order or tools\/call, not search_faq/)
  })

  test('the session and the moment are what the question says', async () => {
    const shipping = (session) => decide(asks('worker', 'check_shipping', order, { session }))
    assert.equal((await shipping({ tier: 'gold' })).decision, true)
    for (const other of [undefined, {}, { tier: 'silver' }, { tier: 'gold', calls: 10 }, { tier: 'gold', age: 60 }, { tier: 'gold', taints: ['web'] }])
      assert.equal((await shipping(other)).decision, false, JSON.stringify(other))
    const faq = (time, session) => decide(asks('worker', 'search_faq', { query: 'refund' }, { time, session }))
    const near = { source: '203.0.113.7', scopes: ['faq'] }
    assert.equal((await faq('2026-11-24T11:59:59Z', near)).decision, true)
    assert.equal((await faq('2026-11-24T13:00+02:00', near)).decision, true) // without seconds, as in the specification
    assert.equal((await faq('1969-07-20T02:56:15Z', near)).decision, true)
    assert.equal((await faq('2026-11-24T12:00:00Z', near)).decision, false)
    assert.equal((await faq('2026-11-24T11:00:00Z', { ...near, source: '198.51.100.7' })).decision, false)
    assert.equal((await faq('2026-11-24T11:00:00Z', { ...near, scopes: [] })).decision, false)
  })
})

describe('what the gateway knows goes before what the question says', () => {
  test('an agent of the registry is what is registered', async () => {
    const claims = { type: 'customer-support', version: '2.4.1', environment: 'production', owner: 'support-team' }
    const { decision } = await decide({ ...asks('seller', 'lookup_order', order), subject: agent('seller', claims) })
    assert.equal(decision, false)
    const other = await decide({ ...lookup, subject: agent('worker', { ...claims, type: 'marketing' }) })
    assert.equal(other.decision, true)
  })

  test('an agent that is not registered is what its properties say, all of them', async () => {
    const claims = { type: 'customer-support', version: '1', environment: 'test', owner: 'elsewhere' }
    assert.equal((await decide({ ...lookup, subject: agent('stranger', claims) })).decision, true)
    assert.equal((await decide({ ...lookup, subject: agent('stranger', { ...claims, type: 'marketing' }) })).decision, false)
    for (const missing of Object.keys(claims)) {
      const { decision, context } = await decide({ ...lookup, subject: agent('stranger', { ...claims, [missing]: undefined }) })
      assert.equal(decision, false)
      assert.match(context.reason, new RegExp(`no agent stranger.*properties\\.${missing}`))
    }
  })

  test('properties of a tool change nothing', async () => {
    const resource = { ...tool('lookup_order'), properties: { risk: 'low', server: 'other', name: 'x' } }
    assert.deepEqual(await decide({ ...lookup, resource }), await decide(lookup))
  })

  test('a session that is open here is what it is, its own agent\'s, and open', async () => {
    const mine = await gate.agent({ id: 'golden', allow: ['desk/check_shipping'] })
    const { sessionId } = gate.open(mine, '--user', 'usr_1', '--tier', 'gold')
    const ask = (id, more) => decide(asks(id, 'check_shipping', order, { session: { id: sessionId, ...more } }))
    assert.equal((await ask('golden')).decision, true)
    assert.equal((await ask('golden', { tier: 'silver', calls: 1000 })).decision, true)
    const plain = gate.open(mine)
    const claimed = await decide(asks('golden', 'check_shipping', order, { session: { id: plain.sessionId, tier: 'gold' } }))
    assert.equal(claimed.decision, false)
    const stolen = await ask('worker')
    assert.deepEqual([stolen.decision, stolen.context.code], [false, 'conflict'])
    gate.cli(['session', 'end', sessionId, '-c', gate.file])
    const over = await ask('golden')
    assert.deepEqual([over.decision, over.context.code], [false, 'session_ended'])
  })

  test('what is not known is denied, and the answer says what', async () => {
    for (const [question, code, reason] of [
      [{ ...lookup, resource: tool('nothing') }, 'unknown_tool', /desk\/nothing/],
      [{ ...lookup, resource: { type: 'tool', id: 'lookup_order' } }, 'unknown_tool', /server\/tool/],
      [{ ...lookup, resource: { type: 'document', id: 'desk/lookup_order' } }, 'not_found', /type tool; document/],
      [{ ...lookup, subject: { type: 'user', id: 'worker' } }, 'not_found', /type agent; user/],
      [{ ...lookup, action: { name: 'lookup_order' } }, 'schema_mismatch', /orderId/],
      [asks('worker', 'lookup_order', { orderId: 7 }), 'schema_mismatch', /orderId/],
    ]) {
      const { decision, context } = await decide(question)
      assert.deepEqual([decision, context.code], [false, code])
      assert.match(context.reason, reason)
    }
  })

  test('an agent that is disabled or stopped may nothing', async () => {
    await gate.agent({ id: 'halted' })
    assert.equal((await decide(asks('halted', 'lookup_order', order))).decision, true)
    gate.cli(['agent', 'disable', 'halted', '-c', gate.file])
    assert.equal((await decide(asks('halted', 'lookup_order', order))).context.code, 'invalid_client')
    gate.cli(['agent', 'enable', 'halted', '-c', gate.file])
    gate.cli(['kill', 'agent', 'halted', '--reason', 'test', '-c', gate.file])
    assert.equal((await decide(asks('halted', 'lookup_order', order))).context.code, 'agent_stopped')
  })
})

describe('several evaluations', () => {
  const three = { subject: agent('worker'), action: { name: 'tools/call' }, resource: tool('lookup_order'), evaluations: [
    { context: { input: order } },
    { context: { input: { orderId: 'ORD-FORBIDDE' } } },
    { context: { input: { orderId: 'ORD-E5F6G7H8' } } },
  ] }
  const semantic = (evaluations_semantic, evaluations = three.evaluations) => ({ ...three, evaluations, options: { evaluations_semantic, another: 1 } })

  test('all are answered, in their order', async () => {
    assert.deepEqual(await decisions(three), [true, false, true])
    assert.deepEqual(await decisions(semantic('execute_all')), [true, false, true])
  })

  test('deny_on_first_deny ends with the first that is denied, permit_on_first_permit with the first that is not', async () => {
    assert.deepEqual(await decisions(semantic('deny_on_first_deny')), [true, false])
    assert.deepEqual(await decisions(semantic('permit_on_first_permit')), [true])
    const [yes, no] = three.evaluations
    assert.deepEqual(await decisions(semantic('deny_on_first_deny', [yes, yes])), [true, true])
    assert.deepEqual(await decisions(semantic('permit_on_first_permit', [no, no, yes, no])), [false, false, true])
  })

  test('an entity of an evaluation replaces the default as a whole', async () => {
    const context = { session: { tier: 'gold' }, input: order }
    const shipping = { subject: agent('worker'), action: { name: 'tools/call' }, resource: tool('check_shipping'), context }
    assert.deepEqual(await decisions({ ...shipping, evaluations: [{}, { context: { input: order } }, { subject: agent('nobody') }] }), [true, false, false])
  })

  test('but for what it needs and does not say', async () => {
    const question = { ...lookup, resource: { type: 'tool' }, evaluations: [{ resource: { id: 'desk/lookup_order' } }, {}] }
    const [first, second] = await decideAll(question)
    assert.equal(first.decision, true)
    assert.deepEqual([second.decision, second.context.error.status], [false, 400])
  })

  test('one that cannot be understood is denied, and harms no other', async () => {
    const bad = [{ resource: 7 }, { resource: { type: 'tool' } }, { context: { time: 'noon' } }, { context: [] }, 'x', null]
    const { evaluations: [yes] } = three
    const answers = await decideAll({ subject: three.subject, action: three.action, evaluations: [...bad, { resource: three.resource, ...yes }] })
    assert.equal(answers.length, bad.length + 1)
    for (const { decision, context } of answers.slice(0, -1)) {
      assert.deepEqual([decision, context.error.status], [false, 400])
      assert.ok(context.error.message)
    }
    assert.equal(answers.at(-1).decision, true)
  })

  test('without evaluations, or with none in the list, it is a single one', async () => {
    for (const evaluations of [undefined, []]) {
      const { status, json } = await post('/access/v1/evaluations', { ...lookup, evaluations })
      assert.deepEqual([status, json.decision, json.evaluations], [200, true, undefined])
    }
  })

  test('a thousand at a time, and no more', async () => {
    const many = (n) => ({ ...lookup, evaluations: Array(n).fill({}) })
    assert.deepEqual(await decisions(many(1000)), Array(1000).fill(true))
    const { status, text } = await post('/access/v1/evaluations', many(1001))
    assert.equal(status, 413)
    assert.match(text, /at most 1000/)
  })

  test('a semantic that does not exist is refused', async () => {
    for (const options of [{ evaluations_semantic: 'first_wins' }, { evaluations_semantic: 1 }, 'execute_all'])
      assert.equal((await post('/access/v1/evaluations', { ...three, options })).status, 400)
    assert.equal((await post('/access/v1/evaluations', { ...lookup, evaluations: {} })).status, 400)
  })
})

describe('errors', () => {
  test('what is needed and missing, or of another type, is a bad request that says which', async () => {
    const { subject, action, resource } = lookup
    for (const [question, said] of [
      [{ action, resource }, /^subject is needed/],
      [{ subject, resource }, /^action is needed/],
      [{ subject, action }, /^resource is needed/],
      [{ subject: { id: 'worker' }, action, resource }, /^subject\.type is needed/],
      [{ subject: { type: 'agent' }, action, resource }, /^subject\.id is needed/],
      [{ subject, action: {}, resource }, /^action\.name is needed/],
      [{ subject, action, resource: { id: 'desk/lookup_order' } }, /^resource\.type is needed/],
      [{ subject, action, resource: { type: 'tool' } }, /^resource\.id is needed/],
      [{ subject: 'worker', action, resource }, /^subject must be an object, but is a string/],
      [{ subject, action: { name: 123 }, resource }, /^action\.name must be a string, but is a number/],
      [{ ...lookup, subject: { ...subject, properties: [] } }, /^subject\.properties must be an object/],
      [{ ...lookup, action: { ...action, properties: { input: 'x' } } }, /^action\.properties\.input must be an object/],
      [{ ...lookup, context: 'now' }, /^context must be an object/],
      [{ ...lookup, context: { time: '2026-13-01T00:00:00Z' } }, /^context\.time/],
      [{ ...lookup, context: { time: 1 } }, /^context\.time/],
      [{ ...lookup, context: { session: { source: 'here' } } }, /^context\.session\.source/],
      [{ ...lookup, context: { session: { calls: -1 } } }, /^context\.session\.calls/],
      [{ ...lookup, context: { session: { age: 9e15 } } }, /^context\.session\.age/],
      [{ ...lookup, context: { session: { scopes: [1] } } }, /^context\.session\.scopes/],
    ]) {
      const { status, text, headers } = await post('/access/v1/evaluation', question)
      assert.equal(status, 400, JSON.stringify(question))
      assert.match(text, said)
      assert.match(headers.get('content-type'), /^text\/plain/)
    }
  })

  test('what is no JSON object is a bad request', async () => {
    for (const raw of ['', '{', '[]', 'null', '{"subject":1,"subject":2}', '[[[', '{"subject":"\\ud800"}'])
      assert.equal((await post('/access/v1/evaluation', undefined, { raw })).status, 400, raw)
    assert.equal((await post('/access/v1/evaluation', lookup, { headers: { 'content-type': 'text/plain' } })).status, 400)
  })

  test('more than the bound is 413, and answered as everything here', async () => {
    const { status, text, headers } = await post('/access/v1/evaluation', { ...lookup, more: 'x'.repeat(2 << 20) }, { headers: { 'x-request-id': 'large' } })
    assert.deepEqual([status, headers.get('x-request-id')], [413, 'large'])
    assert.match(text, /larger than/)
  })

  test('whoever asks has to be an operator: a viewer is enough, an agent is nobody', async () => {
    const access = gate.token({ id: 'worker', key: join(gate.dir, 'worker.jwk') })
    for (const token of [null, 'wrong', access]) {
      const { status, headers, text } = await post('/access/v1/evaluation', lookup, { token, headers: { 'x-request-id': 'mine' } })
      assert.equal(status, 401)
      assert.match(headers.get('www-authenticate'), /^Bearer/)
      assert.deepEqual([headers.get('x-request-id'), text[0] === '{'], ['mine', false])
    }
    const { status, headers } = await fetch(`${gate.admin}/access/v1/evaluation`, { headers: { authorization: `Bearer ${VIEWER}` } })
    assert.deepEqual([status, headers.get('allow')], [405, 'POST'])
    assert.equal((await fetch(`${gate.url}/access/v1/evaluation`, { method: 'POST' })).status, 404) // not where agents are
  })

  test('a page in a browser, or a host of another name, is refused', async () => {
    const fields = [['Authorization', `Bearer ${VIEWER}`], ['Content-Type', 'application/json'], ['X-Request-ID', 'r']]
    for (const more of [[['Host', 'evil.example']], [['Host', `127.0.0.1:${gate.adminPort}`], ['Origin', 'https://evil.example']]]) {
      const { status, head } = await wire(gate.adminPort, { path: '/access/v1/evaluation', fields: [...more, ...fields], body: JSON.stringify(lookup) })
      assert.equal(status, 403)
      assert.match(head, /^X-Request-ID: r\r?$/m)
    }
  })
})

test('members that nobody knows are ignored', async () => {
  const question = { ...lookup, foo: 'bar', futureField: { nested: true }, context: { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' } }
  assert.equal((await decide({ ...question, subject: { ...question.subject, more: 1, properties: { department: 'Sales' } } })).decision, true)
})

test('X-Request-ID comes back as it was, and none comes unasked', async () => {
  for (const id of ['bfe9eb29-ab87-4ca3-be83-a1d5d8305716', 'any "string", really'])
    for (const [path, body] of [['/access/v1/evaluation', lookup], ['/access/v1/evaluations', { ...lookup, evaluations: [{}] }], ['/access/v1/evaluation', {}]])
      assert.equal((await post(path, body, { headers: { 'x-request-id': id } })).headers.get('x-request-id'), id)
  assert.equal((await post('/access/v1/evaluation', lookup)).headers.get('x-request-id'), null)
})

test('questions are counted, and are no calls: nothing on record, no budget taken', async () => {
  const figures = async () => Object.fromEntries([...(await (await fetch(`${gate.admin}/metrics`, { headers: { authorization: `Bearer ${VIEWER}` } })).text())
    .matchAll(/^doorward_evaluations_total\{decision="(\w+)"\} (\d+)$/gm)].map(([, name, n]) => [name, Number(n)]))
  const was = await figures(), lines = gate.audit().length
  await decideAll({ ...lookup, evaluations: [{}, {}, { subject: agent('seller') }, { subject: 7 }] })
  await decide(asks('worker', 'issue_refund', { ...order, amount: 100 }))
  const is = await figures()
  assert.deepEqual([is.allow - was.allow, is.deny - was.deny, is.approve - was.approve], [2, 2, 1])
  assert.equal(gate.audit().length, lines)
})

describe('where the decision point is', () => {
  const where = (base) => ({ policy_decision_point: base, access_evaluation_endpoint: `${base}/access/v1/evaluation`,
                             access_evaluations_endpoint: `${base}/access/v1/evaluations` })

  test('is told to anybody, under the name that was asked', async () => {
    for (const base of [gate.admin, `http://localhost:${gate.adminPort}`]) {
      const res = await fetch(`${base}/.well-known/authzen-configuration`)
      assert.deepEqual([res.status, res.headers.get('content-type')], [200, 'application/json'])
      assert.deepEqual(await res.json(), where(base))
    }
  })

  test('over TLS it is https, and where a proxy stands before it what the configuration says', async () => {
    const ca = authority('AuthZEN Test CA')
    const { certificate, key } = ca.issue('localhost')
    const get = (port) => new Promise((done, fail) => request({ host: '127.0.0.1', port, path: '/.well-known/authzen-configuration', ca: ca.pem }, (res) => {
      let text = ''
      res.on('data', (d) => (text += d)).on('end', () => done(JSON.parse(text)))
    }).on('error', fail).end())
    const secure = await startGate({ servers: { desk: DESK }, admin: { tls: { certificate, key } } })
    try {
      assert.deepEqual(await get(secure.adminPort), where(`https://127.0.0.1:${secure.adminPort}`))
      secure.write({ admin: { ...secure.config.admin, public_url: 'https://decisions.example/gate/' } })
      secure.daemon.kill('SIGHUP')
      const base = 'https://decisions.example/gate'
      await until('the new URL', async () => (await get(secure.adminPort)).policy_decision_point === base)
      assert.deepEqual(await get(secure.adminPort), where(base))
    } finally {
      await secure.stop()
    }
  })

  test('and nothing else is: other paths, other methods and wrong tokens stay closed', async () => {
    const ask = async (path, options) => (await fetch(gate.admin + path, options)).status
    assert.equal(await ask('/.well-known/authzen-configuration', { method: 'POST' }), 405)
    assert.equal(await ask('/.well-known/authzen-configuration', { headers: { authorization: 'Bearer wrong' } }), 401)
    assert.equal(await ask('/.well-known/other'), 401)
    assert.equal(await ask('/admin/v1/status'), 401)
    assert.equal(await ask('/metrics'), 401)
  })
})

test('a set that is not enforced is told of, and decides nothing', async () => {
  writeFileSync(join(gate.dir, 'policies/draft.txt'), '@id("draft") forbid (principal, action == Action::"lookup_order", resource);')
  gate.write({ policy: { files: [{ file: 'policies/*.cedar' }, { file: 'policies/draft.txt', enforce: false }] } })
  gate.cli(['reload', '-c', gate.file])
  const { decision, context } = await decide(lookup)
  assert.deepEqual([decision, context.policies, context.shadow], [true, ['read'], 'deny'])
})

test('while no policies are in force there is no decision', async () => {
  gate.daemon.kill('SIGTERM')
  await gate.exited
  writeFileSync(join(gate.dir, 'policies/desk.cedar'), 'permit (principal, action == Action::"lookup_order", resource) when { context.input.nothing == 1 };')
  gate.write({ policy: { files: [{ file: 'policies/desk.cedar' }] } })
  gate.log = ''
  await gate.start(false)
  await until('the fault to be told', () => /"event":"policy_fault"/.test(gate.log))
  for (const path of ['/access/v1/evaluation', '/access/v1/evaluations']) {
    const { status, text } = await post(path, { ...lookup, evaluations: [{}] }, { headers: { 'x-request-id': 'again' } })
    assert.equal(status, 503)
    assert.match(text, /^no policies are in force/)
  }
})

test('what the configuration says of a tool\'s risk counts as it does at the gate', async () => {
  const own = await startGate({ servers: { desk: DESK }, operators: [{ name: 'other-gate', role: 'viewer', token: '${VIEWER_TOKEN}' }], approval: { hold: '1s' }, tools: {
    'desk/lookup_order': { risk: 'low' }, 'desk/create_ticket': { risk: 'medium' }, 'desk/issue_refund': { risk: 'high', approvers: ['money'], people: 2 },
    'desk/delete_account': { risk: 'critical' }, '*/*': { risk: 'unset' } } })
  try {
    const names = { lookup_order: order, create_ticket: { subject: 'it burns' }, issue_refund: { ...order, amount: 9 }, search_faq: { query: 'what' }, delete_account: { customerId: 'c1' } }
    const a = await own.agent({ id: 'worker', allow: Object.keys(names).map((n) => `desk/${n}`) }), token = own.token(a)
    const answers = {}, made = {}
    for (const [name, input] of Object.entries(names)) {
      const res = await fetch(`${own.admin}/access/v1/evaluation`, { method: 'POST', body: JSON.stringify(asks('worker', name, input)),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${VIEWER}` } })
      const { decision, context } = await res.json()
      answers[name] = [decision, context.code ?? 'made', context.risk]
      const { text, json } = await own.call(token, `desk__${name}`, input)
      made[name] = json?.result?.resultType === 'input_required' ? 'approval_needed' : /critical_risk/.test(text) ? 'critical_risk' : 'made'
      if (name === 'issue_refund') assert.deepEqual(context.approval, { people: 2, approvers: ['money'] })
      if (name === 'create_ticket') assert.equal(context.reviewed, true)
      const why = own.json(['policy', 'explain', '--tool', `desk/${name}`, '--agent', 'worker', '--input', JSON.stringify(input)])
      assert.deepEqual([why.risk, why.course], [context.risk, { lookup_order: 'through', create_ticket: 'reviewed', delete_account: 'never' }[name] ?? 'asks'])
    }
    assert.deepEqual(answers, { lookup_order: [true, 'made', 'low'], create_ticket: [true, 'made', 'medium'], issue_refund: [false, 'approval_needed', 'high'],
      search_faq: [false, 'approval_needed', 'high'], delete_account: [false, 'critical_risk', 'critical'] })
    assert.deepEqual(made, Object.fromEntries(Object.entries(answers).map(([n, [, code]]) => [n, code]))) // and so does the gate
    const words = own.cli(['policy', 'explain', '--tool', 'desk/issue_refund', '--agent', 'worker', '--input', JSON.stringify(names.issue_refund), '-c', own.file]).stdout
    assert.match(words, /^allowed\nits risk is high: it waits until two people say yes, of \["money"\]$/m)
  } finally {
    await own.stop()
  }
})
