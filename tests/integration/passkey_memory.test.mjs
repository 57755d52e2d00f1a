// Memory of src/passkey that runs out, wherever that is: what comes is an error, or what would have come anyway; never a crash, never a
// passkey that proves what it did not sign.
// areas: passkey
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BUILD } from './lib/gate.mjs'
import { judgeProgram } from './lib/judge.mjs'
import * as soft from './lib/passkey_bytes.mjs'

const judge = judgeProgram('passkey_judge')
const sanitized = /asan|tsan/.test(BUILD)
const step = Number(process.env.DOORWARD_FAIL_STEP ?? 1)
const many = 1n << 40n

const b64 = (b) => b.toString('base64url')
const party = { rpId: 'gate.example.com', origin: 'https://gate.example.com', challenge: randomBytes(32) }
const words = (command, ...bytes) => [command, party.rpId, party.origin, b64(party.challenge), ...bytes.map(b64)].join(' ')

function lines(alg) {
  const p = { ...party, key: soft.newKey(alg), count: 8 }
  const made = soft.make(p)
  const signed = soft.assert(p)
  const forged = soft.assert({ ...p, signer: soft.newKey(alg) })
  const ask = (s) => `${words('assert', s.clientData, s.data, s.signature)} 7 false ${JSON.stringify(p.key.jwk)}`
  return { registered: words('register', made.clientData, made.attestation), signed: ask(signed), forged: ask(forged) }
}

describe('allocations that fail', { skip: judge.skip || (sanitized && 'a sanitizer has an allocator of its own') }, () => {
  let folder
  before(() => (folder = mkdtempSync(join(tmpdir(), 'passkey-memory-'))))
  after(() => rmSync(folder, { recursive: true, force: true }))

  // The answers, and how many allocations it took.
  const ask = (asked, failing) => {
    const orders = join(folder, 'orders')
    const bytes = Buffer.alloc(16)
    bytes.writeBigInt64LE(failing)
    writeFileSync(orders, bytes)
    const env = { ...process.env, LD_PRELOAD: join(BUILD, 'tests/torture/fail_malloc.so'), DOORWARD_FAIL_MALLOC: orders }
    const run = spawnSync(join(BUILD, 'tests/conformance/passkey_judge'), [], { input: asked.map((l) => l + '\n').join(''), encoding: 'utf8', env })
    assert.equal(run.signal, null, `killed by ${run.signal}`)
    return { answers: run.stdout.trimEnd().split('\n'), took: failing - readFileSync(orders).readBigInt64LE(0) }
  }

  for (const [name, alg] of [['ES256', -7], ['EdDSA', -8]])
    for (const what of ['registered', 'signed', 'forged'])
      test(`${name}: ${what}`, () => {
        const all = lines(alg)
        const warm = [all.registered, all.signed] // what libraries make once is not of interest
        const from = ask(warm, many).took
        const whole = ask([...warm, all[what]], many)
        assert.match(whole.answers[2], what === 'forged' ? /^error: the signature/ : /^ok /)
        assert.ok(whole.took - from > 4n, `${whole.took - from} allocations`)
        let refused = 0
        for (let at = from + 1n; at <= whole.took; at += BigInt(step)) {
          const { answers } = ask([...warm, all[what]], at)
          const answer = answers[2] ?? 'error: none' // the judge's own
          if (what === 'forged') assert.match(answer, /^error: /)
          else assert.ok(answer === whole.answers[2] || answer.startsWith('error: '), `allocation ${at}: ${answer}`)
          refused += answer.startsWith('error: ')
        }
        assert.ok(refused)
      })
})
