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
  const asked = ['allow', 'deny', 'allow with errors', 'deny with errors', 'request refused']
  assert.ok(share('allow', asked) > 0.1 && share('deny', asked) > 0.3 && share('deny with errors', asked) > 0.01, `a fair mix of decisions: ${JSON.stringify(shares)}`)
  for (const what of ['policies', 'schema', 'validates', 'entities'])
    assert.ok(share(`${what} accepted`, [`${what} accepted`, `${what} refused`]) > 0.5 && shares[`${what} refused`] > 5, `${what} mostly accepted, but not always: ${JSON.stringify(shares)}`)
})
