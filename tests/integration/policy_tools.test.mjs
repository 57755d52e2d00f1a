// What people have for their policies: cases that run where no gateway is, and words for why a call was denied.
// areas: policy, cli
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DESK, DOORWARD, startGate } from './lib/gate.mjs'
import { people } from './lib/people.mjs'

const POLICIES = `@id("read")
permit (principal in AgentType::"customer-support", action == Action::"lookup_order", resource in Server::"desk");

@id("small")
permit (principal, action == Action::"issue_refund", resource)
when { context.input.amount.lessThanOrEqual(decimal("100.00")) };

@id("vip") @approve("one") @risk("medium")
permit (principal, action == Action::"issue_refund", resource)
when { context.session has tier && context.session.tier == "gold" }
unless { context.session.taints.contains("web") || context.session.calls > 10 };

@id("no-one-order") @reason("this order is under investigation")
forbid (principal, action, resource)
when { context.input has orderId && context.input.orderId == "ORD-FORBIDDE" };

@id("office") @set("input.orderId = \\"ORD-E5F6G7H8\\"")
permit (principal, action == Action::"check_shipping", resource)
when { context.session has source && context.session.source.isInRange(ip("10.0.0.0/8")) && context.time.hour < 17 };
`
const order = { orderId: 'ORD-A1B2C3D4' }

async function startWithPolicies() {
  const gate = await startGate({ servers: { desk: DESK }, session: { max_tool_calls: 1000, rate: 'none' }, audit: { mask: ['customerId'] } })
  mkdirSync(join(gate.dir, 'policies'))
  writeFileSync(join(gate.dir, 'policies/desk.cedar'), POLICIES)
  gate.write({ policy: { files: [{ file: 'policies/*.cedar' }] } })
  gate.cli(['reload', '-c', gate.file])
  return gate
}

describe('policy test', () => {
  let dir
  before(async () => {
    const gate = await startWithPolicies()
    dir = mkdtempSync(join(tmpdir(), 'doorward-cases-'))
    try {
      writeFileSync(join(dir, 'tools.json'), gate.cli(['policy', 'tools', '-c', gate.file]).stdout)
    } finally {
      await gate.stop()
    }
    writeFileSync(join(dir, 'desk.cedar'), POLICIES)
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  // No gateway runs, and there is no configuration.
  function run(cases, ...more) {
    writeFileSync(join(dir, 'a.test.yaml'), cases)
    const { DOORWARD_CONFIG, ...env } = process.env
    return spawnSync(DOORWARD, ['policy', 'test', 'a.test.yaml', ...more], { encoding: 'utf8', cwd: dir, env, timeout: 30000 })
  }
  const passes = (cases) => {
    const r = run(cases)
    assert.equal(r.status, 0, r.stdout + r.stderr)
    return r.stdout
  }

  test('cases pass without a gateway, by agent, arguments, session and time', () => {
    assert.match(passes(`
policies: [desk.cedar]
cases:
  - name: support reads orders
    agent: { type: customer-support }
    tool: desk/lookup_order
    input: { orderId: ORD-A1B2C3D4 }
    expect: allow
    policies: [read]
  - name: others do not
    agent: { id: m, type: marketing, version: "2.0", environment: staging, owner: m }
    tool: desk/lookup_order
    input: { orderId: ORD-A1B2C3D4 }
    expect: deny
    reason: no policy permits
    policies: []
  - name: an order under investigation
    agent: { type: customer-support }
    tool: desk/lookup_order
    input: { orderId: ORD-FORBIDDE }
    expect: deny
    reason: under investigation
    policies: [no-one-order]
  - name: a large refund for gold is asked about
    tool: desk/issue_refund
    input: { orderId: ORD-A1B2C3D4, amount: 400.5 }
    context: { session: { tier: gold } }
    expect: approve
    risk: medium
  - name: not when the session has seen the web
    tool: desk/issue_refund
    input: { orderId: ORD-A1B2C3D4, amount: 400 }
    context: { session: { tier: gold, taints: [web] } }
    expect: deny
  - name: not after many calls
    tool: desk/issue_refund
    input: { orderId: ORD-A1B2C3D4, amount: 400 }
    context: { session: { tier: gold, calls: 11 } }
    expect: deny
  - name: in the office, by day
    tool: desk/check_shipping
    input: { orderId: ORD-A1B2C3D4 }
    context: { session: { source: 10.1.2.3 }, time: 2026-01-05T10:00:00Z }
    expect: allow
    set: { orderId: ORD-E5F6G7H8 }
  - name: not by night
    tool: desk/check_shipping
    input: { orderId: ORD-A1B2C3D4 }
    context: { session: { source: 10.1.2.3 }, time: "2026-01-05T22:00:00Z" }
    expect: deny
`), /8 cases: 8 passed, 0 failed/)
  })

  test('a failing case says what was expected, what came and who decided; the exit code says that one failed', () => {
    const r = run(`policies: [desk.cedar]
cases:
  - name: gold is free
    tool: desk/issue_refund
    input: { orderId: ORD-A1B2C3D4, amount: 50 }
    expect: deny
    policies: [vip]
  - tool: desk/lookup_order
    input: { orderId: ORD-A1B2C3D4 }
    expect: allow
    reason: not there
  - name: office
    tool: desk/check_shipping
    input: { orderId: ORD-A1B2C3D4 }
    context: { session: { source: 10.0.0.1 } }
    expect: allow
    risk: high
    set: { orderId: ORD-A1B2C3D4 }
`)
    assert.equal(r.status, 1)
    assert.match(r.stdout, /failed {2}a\.test\.yaml:3: gold is free\n +expected deny, but it is allowed, by small\n +expected to be decided by vip, not by small/)
    assert.match(r.stdout, /a\.test\.yaml:8: case 2\n +expected allow, but it is denied: no policy permits this call\n +expected a reason with "not there"/)
    assert.match(r.stdout, /expected the risk high, not none\n +expected to set \{"orderId":"ORD-A1B2C3D4"\}, but what is set is orderId = "ORD-E5F6G7H8"/)
    assert.match(r.stdout, /3 cases: 0 passed, 3 failed/)
    assert.match(r.stderr, /3 cases failed/)
  })

  test('policies that no case is decided by are named', () => {
    const out = passes('policies: [desk.cedar]\ncases:\n  - { tool: desk/issue_refund, input: { orderId: ORD-A1B2C3D4, amount: 1 }, expect: allow }\n')
    assert.match(out, /no case is decided by 4 of 5 policies of a\.test\.yaml: read, vip, no-one-order, office/)
  })

  test('--json has all of it', () => {
    const r = run('policies: [desk.cedar]\ncases:\n  - { name: n, tool: desk/issue_refund, input: { orderId: ORD-A1B2C3D4, amount: 1 }, expect: deny }\n', '--json')
    assert.equal(r.status, 1)
    const j = JSON.parse(r.stdout)
    assert.deepEqual([j.cases, j.passed, j.failed, j.undecided], [1, 0, 1, ['read', 'vip', 'no-one-order', 'office']])
    assert.deepEqual(j.results[0], { file: 'a.test.yaml', line: 3, name: 'n', passed: false, expected: 'deny', decision: 'allow',
                                     policies: ['small'], faults: ['expected deny, but it is allowed, by small'] })
  })

  test('what a case says wrongly is a fault with file, line and column', () => {
    for (const [cases, said] of [
      ['cases:\n  - tool: desk/lookup_order\n    expcet: allow\n', [/a\.test\.yaml:3:5: there is no key expcet; did you mean expect\?/, /2:5: expect: is needed/]],
      ['cases:\n  - { tool: desk/lookup_order, expect: maybe, agent: { version: 2.4 } }\n', [/2:40: expect: must be allow, deny or approve/, /2:65: version: must be a text: put it in quotes/]],
      ['cases:\n  - { tool: a/b, expect: deny, context: { time: noon, session: { calls: -1, scopes: x } } }\n', [/time: must be a time/, /calls: must be a whole number/, /scopes: must be a list/]],
      ['cases:\n  - { tool: a/b, tool: a/c, expect: deny }\n', [/2:18: the key stands here twice/]],
      ['cases: &x\n  - *x\n', [/2:\d+: anchors/]],
      ['cases: [ {', [/a\.test\.yaml:\d:\d+: YAML/]],
      ['', [/a\.test\.yaml:1:1: there is nothing/]],
      ['cases: []\n', [/1:\d+: cases: must be a list with a case in it/]],
    ]) {
      const r = run(cases)
      assert.equal(r.status, 1, cases)
      for (const pattern of said) assert.match(r.stdout, pattern)
    }
  })

  test('a call that could not be made fails its case', () => {
    const r = run(`policies: [desk.cedar]
cases:
  - { tool: desk/lookup_ordr, expect: deny }
  - { tool: desk/lookup_order, input: { orderId: x }, expect: deny }
  - { tool: desk/lookup_order, input: { orderId: ORD-A1B2C3D4 }, context: { session: { source: nowhere } }, expect: deny }
`)
    assert.equal(r.status, 1)
    assert.match(r.stdout, /there is no tool desk\/lookup_ordr; did you mean desk\/lookup_order\?/)
    assert.match(r.stdout, /the gateway refuses these arguments before it asks a policy: \/orderId/)
    assert.match(r.stdout, /source: must be an address/)
    assert.match(r.stdout, /3 cases: 0 passed, 3 failed/)
  })

  test('policies that do not validate are told before any case runs', () => {
    writeFileSync(join(dir, 'wrong.cedar'), 'permit (principal, action, resource) when { context.session.nme == "x" };')
    const r = run('policies: [wrong.cedar]\ncases:\n  - { tool: desk/lookup_order, expect: deny }\n')
    assert.equal(r.status, 1)
    assert.match(r.stdout, /wrong\.cedar:1:\d+: .*nme/)
  })
})

describe('with a gateway', () => {
  let gate, token, agent
  const call = (name, args) => gate.call(token, `desk__${name}`, args)
  const explain = (...args) => gate.cli(['policy', 'explain', ...args, '-c', gate.file]).stdout
  const entry = (tool, event = 'TOOL_DENIED') => gate.recorded(tool, (e) => e.event === event && e.toolName === `desk/${tool}`)
  before(async () => {
    gate = await startWithPolicies()
    agent = await gate.agent({ id: 'worker', allow: ['lookup_order', 'issue_refund', 'check_shipping', 'delete_account'].map((t) => `desk/${t}`) })
    token = gate.token(agent)
  })
  after(() => gate?.stop())

  test('cases beside the policies are found, and the tools are those of the gateway', () => {
    writeFileSync(join(gate.dir, 'policies/desk.test.yaml'),
      'cases:\n  - { tool: desk/issue_refund, input: { orderId: ORD-A1B2C3D4, amount: 100 }, expect: allow, policies: [small] }\n')
    const r = gate.cli(['policy', 'test', '-c', gate.file])
    assert.match(r.stdout, /1 case: 1 passed, 0 failed/)
  })

  test('a denied call of the record: the condition that failed, what it saw, and the change that lets it through', async () => {
    await call('issue_refund', { ...order, amount: 400 })
    const { seq } = await entry('issue_refund')
    const said = explain(String(seq))
    assert.match(said, /^desk\/issue_refund by worker \(customer-support\), .* entry \d+\nthen: refused at the stage policy: no policy permits this call\ndenied/)
    assert.match(said, /permit small: does not apply \(desk\.cedar:4\)\n +when +context\.input\.amount\.lessThanOrEqual\(decimal\("100\.00"\)\)\n +desk\.cedar:6:8: is false, and has to be true; context\.input\.amount is 400\.0\n/)
    assert.match(said, /permit vip: does not apply .*\n +when +context\.session has tier\n.*context\.session\.tier is not set\n/)
    assert.match(said, /allowed by small, if context\.input\.amount were 100\.0 \(it is 400\.0\)/)
    assert.match(said, /allowed with a person's approval by vip, if context\.session\.tier were "gold" \(it is not set\)/)
    assert.doesNotMatch(said, /permit read|permit office/)
    const answer = await call('issue_refund', { ...order, amount: 100 }) // and it is true
    assert.equal(answer.json.result.isError ?? false, false, answer.text)
    const vip = gate.open(agent, '--tier', 'gold').access_token
    const asks = gate.call(vip, 'desk__issue_refund', { ...order, amount: 400 })
    await people(gate).approve(await people(gate).question('issue_refund'))
    assert.match((await asks).text, /refunded/)
  })

  test('a forbid that decided comes first, with what it saw', async () => {
    await call('lookup_order', { orderId: 'ORD-FORBIDDE' })
    const { seq } = await entry('lookup_order')
    const said = explain(String(seq))
    assert.match(said, /denied: this order is under investigation \(forbidden by no-one-order\)\n\n {2}forbid no-one-order: applies, and decides/)
    assert.match(said, /context\.input\.orderId == "ORD-FORBIDDE"\n.*is true; context\.input\.orderId is "ORD-FORBIDDE"/)
    assert.match(said, /permit read: applies, but something else denies/)
    assert.match(said, /allowed by read, if context\.input\.orderId were for example "other"/)
  })

  test('a call that went through is explained by its intent', async () => {
    await call('lookup_order', order)
    const { seq } = await entry('lookup_order', 'TOOL_CALL')
    const said = explain(String(seq))
    assert.match(said, /then: let through\nallowed\nits risk is low: it goes through\n\n {2}permit read: applies, and decides/)
    assert.doesNotMatch(said, /It would be otherwise/)
    const result = await gate.recorded('its outcome', (e) => e.event === 'TOOL_RESULT' && e.intentSeq === seq)
    const r = gate.cli(['policy', 'explain', String(result.seq), '-c', gate.file], { ok: false })
    assert.equal(r.status, 1)
    assert.match(r.stderr, new RegExp(`the outcome of the call ${seq}: explain that one`))
  })

  test('masked parameters are said to be masked', async () => {
    await call('delete_account', { customerId: 'c-1' })
    const { seq } = await entry('delete_account')
    assert.match(explain(String(seq)), /note: judged by what is known of it, since parameters are masked/)
  })

  test('a call that was refused before the policies says where', async () => {
    await call('lookup_order', { orderId: 'wrong' })
    const { seq } = await gate.recorded('the refusal', (e) => e.event === 'TOOL_DENIED' && e.policyDecision.stage === 'validate')
    const r = gate.cli(['policy', 'explain', String(seq), '-c', gate.file], { ok: false })
    assert.notEqual(r.status, 0)
    assert.match(r.stderr, /refused before the policies were asked, at the stage validate/)
  })

  test('a call by hand: a registered agent is as registered, and the rest as the options say', () => {
    const args = ['--tool', 'desk/check_shipping', '--input', JSON.stringify(order), '--agent', 'worker', '--time', '2026-01-05T20:30:00Z']
    const said = explain(...args, '--source', '10.0.0.1')
    assert.match(said, /by worker \(customer-support\), 2026-01-05 20:30:00 UTC\ndenied/)
    assert.match(said, /context\.time\.hour < 17\n.*context\.time\.hour is 20\n/)
    assert.match(said, /allowed by office, if context\.time\.hour were 16 \(it is 20\)/)
    assert.match(explain(...args, '--source', '192.0.2.1'), /allowed by office, if context\.session\.source were for example 10\.0\.0\.0 \(it is 192\.0\.2\.1\)\n {4}and context\.time\.hour were 16/)
    assert.match(explain('--tool', 'desk/lookup_order', '--input', JSON.stringify(order), '--agent', 'nobody', '--type', 'marketing'),
      /no agent of this id is registered[^]*speaks only to a principal in AgentType::"customer-support"[^]*if principal\.type were "customer-support" \(it is "marketing"\)/)
  })

  test('--json has all of it', async () => {
    const { seq } = await gate.recorded('the refusal', (e) => e.code === 'policy_denied' && e.toolName === 'desk/issue_refund')
    const j = gate.json(['policy', 'explain', String(seq)])
    assert.deepEqual([j.tool, j.agent, j.agentType, j.decision, j.seq, j.notes], ['desk/issue_refund', 'worker', 'customer-support', 'deny', seq, []])
    const small = j.policies.find((p) => p.id === 'small')
    assert.deepEqual([small.applies, small.line, small.parts[0].line, small.parts[0].column, small.parts[0].held], [false, 4, 6, 8, false])
    assert.deepEqual(small.parts[0].values, [{ path: 'context.input.amount', value: { __extn: { fn: 'decimal', arg: '400.0' } } }])
    assert.deepEqual(j.changes[0], { decision: 'allow', by: 'small', changes: [{ path: 'context.input.amount',
      before: { __extn: { fn: 'decimal', arg: '400.0' } }, after: { __extn: { fn: 'decimal', arg: '100.0' } }, example: false }] })
  })

  test('what cannot be asked is told', () => {
    for (const [args, said] of [
      [[], /give the number of an entry of the record, or describe a call/],
      [['x'], /SEQ must be an entry's number/],
      [['1', '--user', 'u'], /--user goes without SEQ/],
      [['99999999'], /there is no entry 99999999/],
      [['1'], /and no call/],
      [['--tool', 'desk/lookup_order', '--input', '[]'], /--input must be a JSON object/],
      [['--tool', 'desk/lookup_order', '--time', 'noon'], /--time must be such as/],
      [['--tool', 'nowhere/at_all'], /there is no tool nowhere\/at_all/],
    ]) {
      const r = gate.cli(['policy', 'explain', ...args, '-c', gate.file], { ok: false })
      assert.notEqual(r.status, 0, args.join(' '))
      assert.match(r.stderr, said)
    }
  })

  test('when the policies have changed since, it says so and judges by those of today', async () => {
    const { seq } = await entry('issue_refund')
    writeFileSync(join(gate.dir, 'policies/desk.cedar'), '@id("all") permit (principal, action, resource);')
    gate.cli(['reload', '-c', gate.file])
    const said = explain(String(seq))
    assert.match(said, /then: refused .*\nnote: the policies have changed since: what follows is what today's say\nallowed/)
  })
})
