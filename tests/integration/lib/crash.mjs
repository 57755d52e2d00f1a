// A gate that is killed in the midst of calls, again and again, on one data directory.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { startGate } from './gate.mjs'
import { startServer } from './servers.mjs'
import { swarm } from './swarm.mjs'

const CLIENTS = 16

// A gate, its servers and an agent; `sum` is what was seen so far.
export async function hammer() {
  const modern = await startServer('modern_server.mjs', { mode: ['--json'] })
  const gate = await startGate({ servers: { modern: { url: modern.url }, stdio: { ...swarm(), isolation: 'gateway' } },
    session: { max_tool_calls: 100000000, rate: 'none' }, audit: { segment_bytes: '1MiB' }, log: { level: 'warn' } })
  const agent = await gate.agent({ allow: ['modern/echo', 'stdio/echo'] })
  const sum = { answered: 0, lost: 0, entries: 0, torn: 0, readyMs: 0, worstMs: 0 }
  return { gate, agent, sum, number: 0, stop: async () => {
    modern.stop() // not waited for: it keeps no process running
    await gate.stop()
  } }
}

// Calls of a client, one after the other, until the gate is gone. What it had the answer to is in `answered`: the receipt, by traceId.
async function client(scene, token, answered) {
  for (;;) {
    const text = `call ${++scene.number}`
    const trace = scene.number.toString(16).padStart(32, '0')
    try {
      const { json } = await scene.gate.call(token, `${scene.number % 4 ? 'modern' : 'stdio'}__echo`, { text },
        { meta: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } })
      if (json?.result?.content[0].text === text) answered.set(trace, json.result._meta['dev.doorward/receipt'])
      else if (json?.error?.data?.code !== 'upstream_unavailable') return // its server is not back yet: asked again
      else await sleep(20)
    } catch {
      return
    }
  }
}

// The newest intents, as receipts by traceId; a round makes fewer calls than that.
function intents(scene) {
  const r = scene.gate.cli(['audit', 'tail', '--dir', record(scene), '-n', '20000', '-e', 'TOOL_CALL', '--json'])
  const leaf = (line) => createHash('sha256').update('\0').update(line).digest('hex')
  return new Map(r.stdout.trim().split('\n').filter(Boolean).map((l) => {
    const { traceId, seq } = JSON.parse(l)
    return [traceId, { digest: leaf(l), index: seq - 1 }]
  }))
}

const record = (scene) => join(scene.gate.dir, 'data/audit')
function verified(scene) {
  const r = scene.gate.cli(['audit', 'verify', '-c', scene.gate.file, '--json'], { ok: false })
  assert.equal(r.status, 0, r.stdout + r.stderr)
  return JSON.parse(r.stdout)
}

// One round: load, kill -9, start, look.
export async function killed(scene, { min = 50 } = {}) {
  const { gate, sum } = scene
  const { access_token: token } = gate.open(scene.agent)
  const answered = new Map()
  const clients = Array.from({ length: CLIENTS }, () => client(scene, token, answered))
  while (answered.size < min) await sleep(5)
  await sleep(Math.random() * 60) // at whatever moment of a batch, a flush, a segment's end
  gate.daemon.kill('SIGKILL')
  assert.deepEqual(await gate.exited, { code: null, signal: 'SIGKILL' })
  await Promise.all(clients)

  verified(scene)
  const start = Date.now()
  gate.log = ''
  await gate.start()
  const ready = Date.now() - start
  sum.entries = verified(scene).entries
  const kept = intents(scene)
  const lost = [...answered].filter(([t, receipt]) => !isDeepStrictEqual(kept.get(t), receipt)).map(([t]) => t)
  sum.answered += answered.size
  sum.lost += lost.length
  sum.torn += /"event":"audit_torn_tail"/.test(gate.log) ? 1 : 0
  sum.readyMs += ready
  sum.worstMs = Math.max(sum.worstMs, ready)
  assert.deepEqual(lost, [], 'a call whose answer the client had is not on record, or not as its receipt says')
  assert.doesNotMatch(gate.log, /"level":"error"/)
}
