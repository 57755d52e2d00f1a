// Policies in every call's way: default deny, forbid wins, on agent, tool, arguments, session and moment; what they ask for besides;
// and what happens when they do not hold.
// areas: gate, policy, cedar
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'
import { people } from './lib/people.mjs'

const code = (answer) => answer.json.result?._meta?.['dev.doorward/code'] ?? answer.json.error?.data?.code ?? 'ok'
const words = (answer) => answer.json.result?.content?.[0]?.text ?? answer.json.error?.message
const order = { orderId: 'ORD-A1B2C3D4' }

// A server with one tool that answers in plain words.
const PLAIN = `
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m: continue
    r = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "p", "version": "1"}},
         "tools/list": {"tools": [{"name": "plain", "inputSchema": {"type": "object"}}]},
         "tools/call": {"content": [{"type": "text", "text": "a secret in words"}]}}.get(m["method"])
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], **({"result": r} if r else {"error": {"code": -32601, "message": "no"}})}), flush=True)
`

async function startWith(policies, config = {}) {
  const gate = await startGate({ servers: { desk: DESK }, session: { max_tool_calls: 100000, rate: 'none' }, ...config })
  return policies ? withPolicies(gate, policies) : gate
}

// Puts files of policies in force by a reload.
function withPolicies(gate, files, more = {}) {
  mkdirSync(join(gate.dir, 'policies'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(gate.dir, 'policies', name), text)
  gate.write({ policy: { files: [{ file: 'policies/*.cedar' }], ...more } })
  gate.cli(['reload', '-c', gate.file])
  return gate
}

describe('without files of policies', () => {
  let gate, token
  before(async () => {
    gate = await startWith()
    token = gate.token(await gate.agent({ id: 'plain', allow: ['desk/lookup_order'] }))
  })
  after(() => gate?.stop())

  test('what the registry allows goes through, and the record says by which policy', async () => {
    assert.equal(code(await gate.call(token, 'desk__lookup_order', order)), 'ok')
    const intent = await gate.recorded('the call', (e) => e.event === 'TOOL_CALL')
    assert.deepEqual(intent.policyDecision.policies, ['built-in'])
    assert.match(intent.policyVersion, /^[0-9a-f]{32}$/)
  })

  test('every entry names the version of the policies', async () => {
    const entries = gate.audit().filter((e) => e.event === 'SESSION_CREATED')
    assert.ok(entries.length)
    for (const e of entries) assert.match(e.policyVersion, /^[0-9a-f]{32}$/)
  })
})

describe('with policies', () => {
  let gate, token, agent
  before(async () => {
    gate = await startWith({ 'desk.cedar': `
      @id("read") permit (principal in AgentType::"customer-support", action == Action::"lookup_order", resource in Server::"desk");
      @id("small") permit (principal, action == Action::"issue_refund", resource)
        when { context.input.amount.lessThanOrEqual(decimal("100.00")) };
      @id("vip") permit (principal, action == Action::"issue_refund", resource)
        when { context.session has tier && context.session.tier == "gold" };
      @id("no-one-order") @reason("this order is under investigation")
        forbid (principal, action, resource) when { context.input has orderId && context.input.orderId == "ORD-FORBIDDE" };
      @id("office") permit (principal, action == Action::"check_shipping", resource)
        when { context.session has source && context.session.source.isLoopback() && context.session.calls < 100000
               && context.time.hour >= 0 && context.session.scopes.contains("tool:desk/check_shipping:execute") };
      @id("elsewhere") permit (principal, action == Action::"search_faq", resource)
        when { context.session has source && context.session.source.isInRange(ip("203.0.113.0/24")) };
    ` }, { tools: { 'desk/lookup_order': { risk: 'low', read_only: true } } })
    agent = await gate.agent({ id: 'worker', allow: ['desk/lookup_order', 'desk/issue_refund', 'desk/check_shipping', 'desk/search_faq', 'desk/create_ticket'] })
    token = gate.token(agent)
  })
  after(() => gate?.stop())

  test('a tool that no policy names is denied although the registry allows it', async () => {
    const answer = await gate.call(token, 'desk__create_ticket', { subject: 's' })
    assert.equal(code(answer), 'policy_denied', JSON.stringify(answer.json))
    assert.match(words(answer), /no policy permits/)
    const entry = await gate.recorded('the refusal', (e) => e.event === 'TOOL_DENIED' && e.toolName === 'desk/create_ticket')
    assert.equal(entry.policyDecision.stage, 'policy')
    assert.deepEqual(entry.policyDecision.policies, [])
  })

  test('an agent of another type is denied what one type may do', async () => {
    const other = gate.token(await gate.agent({ id: 'other', type: 'marketing', allow: ['desk/lookup_order'] }))
    assert.equal(code(await gate.call(token, 'desk__lookup_order', order)), 'ok')
    assert.equal(code(await gate.call(other, 'desk__lookup_order', order)), 'policy_denied')
  })

  test('arguments decide', async () => {
    assert.equal(code(await gate.call(token, 'desk__issue_refund', { ...order, amount: 100 })), 'ok')
    assert.equal(code(await gate.call(token, 'desk__issue_refund', { ...order, amount: 100.01 })), 'policy_denied')
  })

  test('a value that policies cannot hold is refused where one reads it', async () => {
    const answer = await gate.call(token, 'desk__issue_refund', { ...order, amount: 0.000001 })
    assert.equal(code(answer), 'policy_denied')
    assert.match(words(answer), /amount/)
  })

  test('the context of the session decides, and only a trusted side gives it', async () => {
    const gold = gate.open(agent, '--user', 'usr_1', '--tier', 'gold').access_token
    assert.equal(code(await gate.call(gold, 'desk__issue_refund', { ...order, amount: 400 })), 'ok')
    const claimed = await gate.call(token, 'desk__issue_refund', { ...order, amount: 400 }, { meta: { tier: 'gold', 'dev.doorward/tier': 'gold' } })
    assert.equal(code(claimed), 'policy_denied')
  })

  test('a forbid wins, and its words reach the agent', async () => {
    const answer = await gate.call(token, 'desk__lookup_order', { orderId: 'ORD-FORBIDDE' })
    assert.equal(code(answer), 'policy_denied')
    assert.match(words(answer), /this order is under investigation \(forbidden by no-one-order\)/)
  })

  test('where a call comes from, when, and what its session may: all in sight', async () => {
    assert.equal(code(await gate.call(token, 'desk__check_shipping', order)), 'ok')
    assert.equal(code(await gate.call(token, 'desk__search_faq', { query: 'refund' })), 'policy_denied')
  })

  test('REST calls are judged by the same policies', async () => {
    const call = (tool, args) => fetch(`${gate.url}/v1/tools/${encodeURIComponent(tool)}/call`, { method: 'POST', headers: gate.headers(token), body: JSON.stringify({ arguments: args }) })
    assert.equal((await call('desk__lookup_order', order)).status, 200)
    const denied = await call('desk__issue_refund', { ...order, amount: 5000 })
    assert.equal(denied.status, 403)
    assert.equal((await denied.json()).code, 'policy_denied')
  })
})

describe('a change of policies', () => {
  let gate, token
  const permit = '@id("p") permit (principal, action, resource);'
  before(async () => {
    gate = await startWith({ 'a.cedar': permit })
    token = gate.token(await gate.agent({ id: 'worker', allow: ['desk/lookup_order'] }))
  })
  after(() => gate?.stop())
  const reload = () => gate.cli(['reload', '-c', gate.file], { ok: false })

  test('a text with faults is refused with all of them, by file, line and column, and the one before stays', async () => {
    for (const [text, said] of [
      ['permit (principal, action, resource)\n  when { context.session.nme == "x" };\nforbid (principal, action, resource) when { 1 + true };', [/a\.cedar:2:\d+: .*nme/, /a\.cedar:3:\d+: /]],
      ['permit (principal, action resource);', [/a\.cedar:1:\d+: /]],
      ['@risk("huge") permit (principal, action, resource);', [/a\.cedar:1:1: .*low, medium, high, critical/]],
      ['@id("x") permit (principal, action, resource); @id("x") forbid (principal, action, resource) when { false };', [/a\.cedar:1:\d+: .*@id/]],
    ]) {
      writeFileSync(join(gate.dir, 'policies/a.cedar'), text)
      const r = reload()
      assert.equal(r.status, 1)
      for (const pattern of said) assert.match(r.stdout + r.stderr, pattern)
      assert.equal(code(await gate.call(token, 'desk__lookup_order', order)), 'ok')
    }
  })

  test('a new text is in force from then on, with a new version in the record', async () => {
    const before = gate.audit().at(-1).policyVersion
    writeFileSync(join(gate.dir, 'policies/a.cedar'), 'forbid (principal, action, resource);')
    assert.equal(reload().status, 0)
    assert.equal(code(await gate.call(token, 'desk__lookup_order', order)), 'policy_denied')
    const entry = await gate.recorded('the refusal', (e) => e.event === 'TOOL_DENIED')
    assert.notEqual(entry.policyVersion, before)
    assert.deepEqual(entry.policyDecision.policies, ['a.cedar:1'])
  })

  test('configured files that are not there are a fault', async () => {
    gate.write({ policy: { files: [{ file: 'nowhere/*.cedar' }] } })
    const r = reload()
    assert.equal(r.status, 1)
    assert.match(r.stdout + r.stderr, /nowhere\/\*\.cedar: there is no such file/)
  })
})

describe('policies that are not enforced', () => {
  let gate, token
  before(async () => {
    gate = await startGate({ servers: { desk: DESK } })
    mkdirSync(join(gate.dir, 'policies'))
    writeFileSync(join(gate.dir, 'policies/base.cedar'), '@id("base") permit (principal, action, resource);')
    writeFileSync(join(gate.dir, 'policies/draft.cedar'), '@id("draft") forbid (principal, action == Action::"lookup_order", resource);')
    gate.write({ policy: { files: [{ file: 'policies/base.cedar' }, { file: 'policies/draft.cedar', enforce: false }] } })
    gate.cli(['reload', '-c', gate.file])
    token = gate.token(await gate.agent({ id: 'worker', allow: ['desk/lookup_order', 'desk/check_shipping'] }))
  })
  after(() => gate?.stop())

  test('are judged and put on record, and let the call through', async () => {
    assert.equal(code(await gate.call(token, 'desk__lookup_order', order)), 'ok')
    const intent = await gate.recorded('the call', (e) => e.event === 'TOOL_CALL' && e.toolName === 'desk/lookup_order')
    assert.deepEqual([intent.policyDecision.policies, intent.policyDecision.shadow], [['base'], 'deny'])
  })

  test('are silent where they would decide alike', async () => {
    assert.equal(code(await gate.call(token, 'desk__check_shipping', order)), 'ok')
    const intent = await gate.recorded('the call', (e) => e.event === 'TOOL_CALL' && e.toolName === 'desk/check_shipping')
    assert.equal(intent.policyDecision.shadow, null)
  })

  test('are told of loudly', async () => {
    await until('the log to say so', () => /"event":"policy_not_enforced","file":"[^"]*draft\.cedar"/.test(gate.log))
    assert.match(await (await fetch(`${gate.url}/readyz?verbose`)).text(), /"draft\.cedar","enforce":false/)
    assert.match(gate.cli(['status', '-c', gate.file]).stdout, /draft\.cedar IS NOT ENFORCED/)
  })
})

describe('what policies ask for besides', () => {
  let gate, token
  before(async () => {
    gate = await startWith({ 'duties.cedar': `
      @id("ask") @approve("one") permit (principal, action == Action::"issue_refund", resource);
      @id("never") @risk("critical") permit (principal, action == Action::"create_ticket", resource);
      @id("slow") @limit("2/hour") permit (principal, action == Action::"check_shipping", resource);
      @id("same-order") @set("input.orderId = \\"ORD-CHANGED1\\"") permit (principal, action == Action::"lookup_order", resource);
      @id("wrong") @set("input.query = 7") permit (principal, action == Action::"search_faq", resource);
    ` })
    token = gate.token(await gate.agent({ id: 'worker', allow: ['lookup_order', 'issue_refund', 'create_ticket', 'check_shipping', 'search_faq'].map((t) => `desk/${t}`) }))
  })
  after(() => gate?.stop())

  test('a person, who says no, and the call is not made', async () => {
    const who = people(gate)
    const call = gate.call(token, 'desk__issue_refund', { ...order, amount: 1 })
    await who.deny(await who.question('issue_refund'), 'not today')
    const answer = await call
    assert.equal(answer.json.result._meta['dev.doorward/code'], 'approval_denied')
    assert.match(words(answer), /not today/)
    const said = await gate.recorded('the no', (e) => e.event === 'APPROVAL_DENIED')
    assert.deepEqual(said.policyDecision.policies, ['ask'])
  })

  test('critical is never let through', async () => {
    assert.equal(code(await gate.call(token, 'desk__create_ticket', { subject: 's' })), 'critical_risk')
  })

  test('no more calls than the rate, for each agent', async () => {
    for (const wanted of ['ok', 'ok', 'rate_limited']) assert.equal(code(await gate.call(token, 'desk__check_shipping', order)), wanted)
    const other = gate.token(await gate.agent({ id: 'second', allow: ['desk/check_shipping'] }))
    assert.equal(code(await gate.call(other, 'desk__check_shipping', order)), 'ok')
  })

  test('changed arguments: those are sent, recorded and digested', async () => {
    const answer = await gate.call(token, 'desk__lookup_order', order)
    assert.equal(code(answer), 'ok')
    assert.match(words(answer), /ORD-CHANGED1/)
    const intent = await gate.recorded('the call', (e) => e.event === 'TOOL_CALL' && e.toolName === 'desk/lookup_order')
    assert.deepEqual([intent.parameters, intent.details.changed], [{ orderId: 'ORD-CHANGED1' }, ['orderId']])
  })

  test('changed arguments that the tool does not take are refused', async () => {
    const answer = await gate.call(token, 'desk__search_faq', { query: 'refund' })
    assert.equal(code(answer), 'policy_denied')
    assert.match(words(answer), /as the policies change them/)
  })
})

describe('what policies do not show of a result', () => {
  let gate, token
  before(async () => {
    gate = await startWith({ 'mask.cedar': `
      @id("no-total") @mask("output.total, output.no.such.member") permit (principal, action == Action::"lookup_order", resource);
      @id("plain-text") @mask("output.text") permit (principal, action == Action::"plain", resource);
    ` }, { servers: { desk: DESK, text: { command: ['python3', '-c', PLAIN] } } })
    token = gate.token(await gate.agent({ id: 'worker', allow: ['desk/lookup_order', 'text/plain'] }))
  })
  after(() => gate?.stop())

  test('the member is hidden in structured content and in text that is JSON, and nothing else is', async () => {
    const { json } = await gate.call(token, 'desk__lookup_order', order)
    const shown = JSON.parse(json.result.content[0].text)
    assert.deepEqual([shown.total, shown.status, shown.orderId], ['[masked]', 'shipped', 'ORD-A1B2C3D4'])
    if (json.result.structuredContent) assert.deepEqual(json.result.structuredContent, shown)
    assert.ok(!JSON.stringify(json).includes('129.9'))
  })

  test('a text that is no JSON is not shown at all: what is to be hidden may stand in it', async () => {
    const { json } = await gate.call(token, 'text__plain', {})
    assert.equal(json.result.content[0].text, '[masked]')
    assert.ok(!JSON.stringify(json).includes('a secret'))
  })

  test('an unmasked agent sees it: the policy hides it, not the tool', async () => {
    withPolicies(gate, { 'mask.cedar': 'permit (principal, action, resource);' })
    const { json } = await gate.call(token, 'desk__lookup_order', order)
    assert.equal(JSON.parse(json.result.content[0].text).total, 129.9)
  })
})

describe('the time of a call', () => {
  let gate, token
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'Pacific/Auckland' }).format(new Date()).toLowerCase()
  const hour = Number(new Intl.DateTimeFormat('en', { hour: 'numeric', hourCycle: 'h23', timeZone: 'Pacific/Auckland' }).format(new Date()))
  before(async () => {
    gate = await startGate({ servers: { desk: DESK } })
    token = gate.token(await gate.agent({ id: 'worker', allow: ['desk/lookup_order', 'desk/check_shipping'] }))
  })
  after(() => gate?.stop())

  test('is that of the configured zone', async () => {
    withPolicies(gate, { 'time.cedar': `
      permit (principal, action == Action::"lookup_order", resource) when { context.time.weekday == "${weekday}" && [${hour}, ${(hour + 1) % 24}].contains(context.time.hour) };
      permit (principal, action == Action::"check_shipping", resource) when { context.time.datetime < datetime("2020-01-01") };
    ` }, { timezone: 'Pacific/Auckland' })
    assert.equal(code(await gate.call(token, 'desk__lookup_order', order)), 'ok')
    assert.equal(code(await gate.call(token, 'desk__check_shipping', order)), 'policy_denied')
  })

  test('a zone that does not exist is a fault', () => {
    gate.write({ policy: { files: [{ file: 'policies/*.cedar' }], timezone: 'Middle/Earth' } })
    const r = gate.cli(['reload', '-c', gate.file], { ok: false })
    assert.equal(r.status, 1)
    assert.match(r.stdout + r.stderr, /policy\.timezone: there is no time zone.*Europe\/Berlin/)
  })
})

describe('policies that do not hold at the start', () => {
  let gate
  after(() => gate?.stop())

  test('nothing is let through, and it says so', async () => {
    gate = await startGate({ servers: { desk: DESK } })
    const token = gate.token(await gate.agent({ id: 'worker', allow: ['desk/lookup_order'] }))
    assert.equal(code(await gate.call(token, 'desk__lookup_order', order)), 'ok')
    mkdirSync(join(gate.dir, 'policies'))
    writeFileSync(join(gate.dir, 'policies/x.cedar'), 'permit (principal, action == Action::"lookup_order", resource) when { context.input.nothing == 1 };')
    gate.write({ policy: { files: [{ file: 'policies/x.cedar' }] } })
    gate.daemon.kill('SIGTERM')
    await gate.exited
    gate.log = ''
    await gate.start(false)
    await until('the fault to be told', () => /"event":"policy_fault"[^\n]*x\.cedar:1:\d+[^\n]*nothing/.test(gate.log))
    assert.equal((await fetch(`${gate.url}/readyz`)).status, 503)
    const again = gate.token({ id: 'worker', key: join(gate.dir, 'worker.jwk') })
    assert.equal(code(await gate.call(again, 'desk__lookup_order', order)), 'policy_unready')
    writeFileSync(join(gate.dir, 'policies/x.cedar'), 'permit (principal, action == Action::"lookup_order", resource);')
    gate.cli(['reload', '-c', gate.file])
    assert.equal(code(await gate.call(again, 'desk__lookup_order', order)), 'ok')
    assert.equal((await fetch(`${gate.url}/readyz`)).status, 200)
  })
})
