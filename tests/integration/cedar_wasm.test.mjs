// A second opinion on src/cedar: random schemas, policies, entities and requests, judged by it (the cedar_judge of the build) and by
// cedar-wasm. `./dev conformance cedar-wasm [SEED] [N]` asks more.
// areas: cedar
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from '../conformance/cedar_wasm.mjs'
import { casesOr, judgeProgram, seed } from './lib/judge.mjs'

const { skip } = judgeProgram('cedar_judge')
const cases = casesOr(300)

test(`${cases} random cases are judged as cedar-wasm judges them (seed ${seed})`, { skip }, () => {
  const { failed, shares, shown } = compare(seed, cases)
  assert.equal(failed, 0, `\n${shown.join('\n')}`)
  const share = (what, of) => shares[what] / of.reduce((n, k) => n + (shares[k] ?? 0), 0)
  const mix = JSON.stringify(shares)
  const asked = ['allow', 'deny', 'allow with errors', 'deny with errors', 'request refused']
  for (const [what, least] of [['allow', 0.1], ['deny', 0.3], ['deny with errors', 0.01]])
    assert.ok(share(what, asked) > least, `a fair share of ${what}: ${mix}`)
  for (const what of ['policies', 'schema', 'validates', 'entities']) {
    const [yes, no] = [`${what} accepted`, `${what} refused`]
    assert.ok(share(yes, [yes, no]) > 0.5 && shares[no] > 5, `${what} mostly accepted, but not always: ${mix}`)
  }
})
