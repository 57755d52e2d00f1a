// What is suspicious in policies that are valid: told by code and place, for people and for pipelines.
// areas: cli, policy
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DESK, DOORWARD, startGate } from './lib/gate.mjs'

const RISKS = {
  'desk/lookup_order': { risk: 'low', read_only: true },
  'desk/check_shipping': { risk: 'low', read_only: true },
  'desk/search_faq': { risk: 'low', read_only: true },
  'desk/create_ticket': { risk: 'medium' },
  'desk/issue_refund': { risk: 'high' },
  'desk/delete_account': { risk: 'critical' },
}

const CLEAN = `@id("read") permit (principal in AgentType::"customer-support", action in Action::"read-only", resource);
@id("ticket") @limit("10/hour") permit (principal, action == Action::"create_ticket", resource);
@id("refund") permit (principal, action == Action::"issue_refund", resource)
  when { context.input.amount.lessThanOrEqual(decimal("100.00")) };
@id("night") forbid (principal, action == Action::"issue_refund", resource)
  when { context.time.hour >= 22 || context.time.hour < 6 };
@id("delete") @approve("two") permit (principal, action == Action::"delete_account", resource);
`

const WRONG = `@id("read") permit (principal, action == Action::"lookup_order", resource);
@id("again") permit (principal in AgentType::"a", action == Action::"lookup_order", resource);
@id("night") permit (principal, action == Action::"check_shipping", resource)
  when { context.time.hour >= 22 && context.time.hour < 6 };
@id("claims") permit (principal, action == Action::"search_faq", resource)
  when { resource.claims has readOnlyHint && resource.claims.readOnlyHint };
@id("refund") permit (principal, action == Action::"issue_refund", resource);
@id("day") forbid (principal, action == Action::"issue_refund", resource)
  when { context.time.weekday == "Sunday" };
@id("typo") permit (principal, action == Action::"create_tickt", resource);
@id("urgent") forbid (principal, action == Action::"create_ticket", resource)
  when { context.input has priority && context.input.priority == "high" };
`

describe('policy lint', () => {
  let gate
  before(async () => {
    gate = await startGate({ servers: { desk: DESK }, tools: RISKS })
    mkdirSync(join(gate.dir, 'policies'))
    writeFileSync(join(gate.dir, 'policies/clean.cedar'), CLEAN)
    writeFileSync(join(gate.dir, 'policies/wrong.cedar'), WRONG)
  })
  after(() => gate?.stop())
  const lint = (...args) => gate.cli(['policy', 'lint', '-c', gate.file, ...args], { ok: false })
  const found = (...args) => JSON.parse(lint('--json', ...args).stdout).findings
    .map((f) => `${f.code}:${f.file ? `${f.line}:${f.column}` : (f.tool ?? '')}`)

  test('finds nothing in policies that are well written', () => {
    const r = lint('--strict', 'policies/clean.cedar')
    assert.equal(r.status, 0, r.stdout + r.stderr)
    assert.equal(r.stdout, 'nothing to find fault with in 5 policies\n')
  })

  test('names code, place, what is wrong and what would be right', () => {
    const r = lint('policies/wrong.cedar')
    assert.equal(r.status, 1)
    assert.match(r.stdout, /^policies\/wrong\.cedar:2:1: warning: "read" covers all that this permits: .* \[shadowed\]$/m)
    assert.match(r.stdout, /^policies\/wrong\.cedar:6:19: error: .*resource\.claims.*: go by resource\.risk.* \[claims\]$/m)
    assert.match(r.stdout, /^policies\/wrong\.cedar:9:34: warning: `"Sunday"` is no weekday.*did you mean "sunday"\? \[never\]$/m)
    assert.match(r.stdout, /^desk\/delete_account: warning: no policy permits this tool.* \[uncovered\]$/m)
    assert.match(r.stderr, /1 error and 8 warnings in the policies/)
  })

  test('gives pipelines the same as JSON', () => {
    assert.deepEqual(found('policies/wrong.cedar'), [
      'shadowed:2:1', 'never:3:1', 'claims:6:19', 'bare-critical:7:1', 'never:9:34', 'waits:10:32', 'avoidable:12:28',
      'uncovered:desk/check_shipping', 'uncovered:desk/create_ticket', 'uncovered:desk/delete_account',
    ])
    const all = JSON.parse(lint('--json', 'policies/wrong.cedar').stdout)
    assert.deepEqual([all.ok, all.policies, all.errors, all.warnings, all.notes], [false, 8, 1, 8, 1])
    const waits = all.findings.find((f) => f.code === 'waits')
    assert.deepEqual([waits.severity, waits.policy, waits.right], ['warning', 'typo', 'did you mean "create_ticket"?'])
  })

  test('warnings alone fail only when --strict asks for it', () => {
    writeFileSync(join(gate.dir, 'policies/warn.cedar'), 'permit (principal, action, resource);')
    assert.deepEqual(found('policies/warn.cedar'), ['bare-critical:1:1'])
    assert.equal(lint('policies/warn.cedar').status, 0)
    assert.equal(lint('policies/warn.cedar', '--strict').status, 1)
  })

  test('of the policies of the configuration, with those that are not enforced', () => {
    gate.write({ policy: { files: [{ file: 'policies/clean.cedar' }, { file: 'policies/warn.cedar', enforce: false }] } })
    const findings = JSON.parse(lint('--json').stdout).findings
    assert.deepEqual(findings.map((f) => f.code).sort(), ['bare-critical', 'not-enforced'])
    assert.ok(findings.every((f) => f.file.endsWith('policies/warn.cedar')))
  })

  test('an installation without files is told what the built-in policy lets through', () => {
    gate.write({ policy: undefined })
    const r = lint()
    assert.equal(r.status, 0)
    assert.match(r.stdout, /^note: no files of policies .* of the 6 tools that are known 2 are of risk high or critical \[built-in\]$/m)
  })

  test('policies that are not valid are not looked at: their faults are told', () => {
    writeFileSync(join(gate.dir, 'policies/broken.cedar'), 'permit (principal, action, resource)\n  when { context.session.nme == "x" };')
    const r = lint('policies/broken.cedar')
    assert.equal(r.status, 1)
    assert.match(r.stdout, /^policies\/broken\.cedar:2:\d+: .*nme/m)
    const json = JSON.parse(lint('--json', 'policies/broken.cedar').stdout)
    assert.equal(json.ok, false)
    assert.match(json.faults[0], /broken\.cedar:2:/)
  })

  test('explains its codes', () => {
    const codes = JSON.parse(spawnSync(DOORWARD, ['policy', 'lint', '--codes', '--json'], { encoding: 'utf8' }).stdout)
    assert.deepEqual(codes.find((c) => c.code === 'bare-critical'),
      { code: 'bare-critical', severity: 'warning', meaning: 'A permit without conditions for a tool of risk high or critical.' })
  })

  test('where no gateway is, a file of tools stands for it', () => {
    const dir = mkdtempSync(join(tmpdir(), 'doorward-lint-'))
    try {
      writeFileSync(join(dir, 'tools.json'), gate.cli(['policy', 'tools', '-c', gate.file]).stdout)
      writeFileSync(join(dir, 'clean.cedar'), readFileSync(join(gate.dir, 'policies/clean.cedar')))
      const r = spawnSync(DOORWARD, ['policy', 'lint', '--tools', 'tools.json', 'clean.cedar', '--json'], { cwd: dir, encoding: 'utf8' })
      assert.equal(r.status, 0, r.stderr)
      // Without a configuration every tool has the risk of one that nobody has looked at, and none is read-only.
      assert.deepEqual(JSON.parse(r.stdout).findings.map((f) => f.code), ['never', 'bare-critical', 'uncovered', 'uncovered', 'uncovered'])
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
