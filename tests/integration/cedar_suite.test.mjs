// Every expectation of the project's own suite (tests/cedar) is what cedar-wasm says too.
// areas: cedar
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { BUILD, TOP } from './lib/gate.mjs'

const wasm = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs')
const suite = join(BUILD, 'tests/cedar/cedar_suite')
const folder = join(TOP, 'tests/cedar')
const files = readdirSync(folder).filter((f) => f.endsWith('.yaml'))

const uid = (x) => {
  if (typeof x !== 'string') return x
  const [, type, id] = x.match(/^(.*?)::("(?:[^"\\]|\\.)*")$/)
  return { type, id: JSON.parse(id) }
}

// What cedar-wasm makes of a scene, with the words of the suite.
function played({ policies, links = [], schema, entities, request, ...said }) {
  const parts = wasm.policySetTextToParts(policies)
  if (parts.type === 'failure') return { refused: 'policies' }
  const set = {
    staticPolicies: parts.policies.join('\n'),
    templates: Object.fromEntries(parts.policy_templates.map((t, i) => [`policy${parts.policies.length + i}`, t])),
    templateLinks: links.map((l) => ({ ...l, values: Object.fromEntries(Object.entries(l.values).map(([k, v]) => [k, uid(v)])) })),
  }
  if (wasm.checkParsePolicySet(set).type === 'failure') return { refused: 'links' }
  if (schema !== undefined && wasm.checkParseSchema(schema).type === 'failure') return { refused: 'schema' }
  if (wasm.checkParseEntities({ entities, schema }).type === 'failure') return { refused: 'entities' }
  const came = {}
  if ('validates' in said) came.validates = wasm.validate({ schema, policies: set }).validationErrors.length === 0
  if (!('decision' in said) && said.refused !== 'request') return came
  const { principal, action, resource, context = {}, validateRequest = true } = request
  const asked = { principal: uid(principal), action: uid(action), resource: uid(resource), context, validateRequest }
  const answer = wasm.isAuthorized({ ...asked, schema, policies: set, entities })
  if (answer.type === 'failure') return { ...came, refused: 'request' }
  const { decision, diagnostics } = answer.response
  return { ...came, decision, reason: [...diagnostics.reason].sort(), errors: [...new Set(diagnostics.errors.map((e) => e.policyId))].sort() }
}

for (const file of files) {
  test(`${file}: cedar-wasm agrees with every scene`, { skip: !existsSync(suite) && 'cedar_suite is not built' }, () => {
    const { stdout, status } = spawnSync(suite, ['--json', join(folder, file)], { encoding: 'utf8', maxBuffer: 1 << 28 })
    assert.equal(status, 0, stdout)
    const scenes = stdout.trimEnd().split('\n').map((line) => JSON.parse(line))
    assert.ok(scenes.length > 0)
    const differing = scenes.flatMap((scene) => {
      const came = played(scene)
      const want = Object.fromEntries(['refused', 'validates', 'decision', 'reason', 'errors'].filter((k) => k in scene).map((k) => [k, scene[k]]))
      if ('decision' in want) want.errors ??= []
      if (!('reason' in want)) delete came.reason
      if (!('decision' in want)) delete came.errors
      const same = Object.keys({ ...want, ...came }).every((k) => JSON.stringify(want[k]) === JSON.stringify(came[k]))
      return same ? [] : [`${scene.name}: the suite says ${JSON.stringify(want)}, cedar-wasm ${JSON.stringify(came)}`]
    })
    assert.equal(differing.length, 0, `\n${differing.join('\n')}`)
  })
}
