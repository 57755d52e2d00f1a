// Who reads the record during a soak: a collector and a webhook that are away now and then, a witness, a stream, searches; and whose
// words are sealed and forgotten. Everything is counted as it comes, and nothing kept: an hour of it needs no more memory than a minute.
//
//   const readers = await startReaders()
//   const gate = await startGate({ ...readers.config })
//   readers.begin(gate)
//   readers.actors({ gate, agent, count })   … for soak_actors.mjs
//   await readers.verdict(gate)              what must hold in the end, once nobody calls any more
import { createHmac } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../integration/lib/gate.mjs'
import { httpReceiver } from '../integration/lib/sinks.mjs'
import { blocks } from '../integration/lib/sse.mjs'
import { startWitness } from '../integration/lib/witness.mjs'

const KEY = Buffer.alloc(24, 7)
const SEGMENT = 8 << 20, KEPT = 4 * SEGMENT // what retention leaves
const QUESTIONS = [{ agent: 'steady' }, { event: 'TOOL_DENIED' }, { decision: 'failure' }, { tool: 'modern/echo', limit: 200 }, { text: 'cancelled' },
  { user: 'operator', event: 'CONFIG_RELOADED' }, { agent: 'nobody' }, { event: 'SESSION_CREATED', oldest: 'true' }]

// Each entry's number as it comes: again is allowed, left out is not.
function order() {
  const o = { last: 0, left: 0, again: 0, take(seq) {
    if (o.last && seq > o.last + 1) o.left += seq - o.last - 1
    if (o.last && seq <= o.last) o.again++
    o.last = Math.max(o.last, seq)
  } }
  return o
}

export async function startReaders() {
  process.env.SOAK_HOOK = `whsec_${KEY.toString('base64')}`
  const logs = order(), stream = order(), hook = { last: 0, back: 0, unsigned: 0, taken: 0 }
  let away = 'none'
  const collector = await httpReceiver((r) => {
    collector.requests.length = 0
    if (away === 'refuses') return 503
    if (away === 'silent') return undefined // until the sink has enough of it
    for (const [, seq] of r.body.matchAll(/\{"key":"doorward.seq","value":\{"intValue":"(\d+)"/g)) logs.take(Number(seq))
    return { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
  })
  const answer = (r) => {
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = r.headers
    const right = `v1,${createHmac('sha256', KEY).update(`${id}.${at}.${r.body}`).digest('base64')}`
    receiver.requests.length = 0
    if (!signature.split(' ').includes(right)) hook.unsigned++
    const { seq } = JSON.parse(r.body)
    if (seq < hook.last) hook.back++
    hook.last = seq
    hook.taken++
    return 204
  }
  let receiver = await httpReceiver(answer)
  const work = mkdtempSync(join(tmpdir(), 'doorward-soak-')), witness = await startWitness(join(work, 'witness'))
  const cut = new AbortController()

  // A reader goes on from where its last connection ended.
  async function read(gate) {
    const res = await fetch(`${gate.admin}/admin/v1/audit/stream${stream.last ? '' : '?from=start'}`, { signal: AbortSignal.any([cut.signal, AbortSignal.timeout(7000)]),
      headers: { authorization: `Bearer ${gate.operatorToken()}`, ...(stream.last && { 'last-event-id': String(stream.last) }) } })
    for await (const b of blocks(res)) if (b.event === 'entry') stream.take(Number(b.id))
  }

  return {
    config: {
      audit: { segment_bytes: SEGMENT, retention: { bytes: KEPT }, seal: ['text'], witnesses: [{ url: witness.url, key: witness.key, every: '1s' }] },
      sinks: { logs: { kind: 'otlp', url: collector.url, timeout: '2s' },
               hook: { kind: 'webhook', url: `${receiver.url}/hook`, secret: '${SOAK_HOOK}', events: ['SESSION_*', 'CONFIG_*', 'TOOL_DENIED'], timeout: '2s' } },
    },
    begin: (gate) => (witness.logs = gate.json(['audit', 'keys']).keys.map((k) => k.key)),
    actors: ({ gate, agent, count }) => {
      let number = 0
      return [
        { name: 'a collector that is away', width: 1, every: 8000, act: async () => {
          away = ['refuses', 'silent'][number++ % 2]
          await sleep(5000)
          away = 'none'
          count('collector away', 'again there')
        } },
        { name: 'a webhook that is gone', width: 1, every: 15000, act: async () => {
          const { port } = receiver
          await receiver.close()
          await sleep(5000)
          receiver = await httpReceiver(answer, { port })
          count('webhook gone', 'again there')
        } },
        { name: 'who reads the stream', width: 1, every: 10, act: () => read(gate).then(() => count('stream of the record', 'ended'), (e) => count('stream of the record', e.name)) },
        { name: 'searches', width: 2, every: 300, act: async () => {
          const { status, json } = await gate.operator('GET', `/audit/search?${new URLSearchParams(QUESTIONS[number++ % QUESTIONS.length])}`)
          count('searches', status === 200 ? 'ok' : json.error?.code ?? status)
        } },
        { name: 'who is forgotten', width: 1, every: 2000, act: async () => {
          const user = `u${number++}`, opened = await gate.operator('POST', '/sessions', { agentId: agent.id, user })
          const answer = await gate.call(opened.json.access_token, 'modern__echo', { text: user })
          const forgotten = await gate.operator('POST', '/audit/forget', { subject: `user:${user}` })
          await gate.operator('DELETE', `/sessions/${opened.json.sessionId}`)
          count('forgotten', `${answer.json?.result ? 'called' : 'not called'}, ${forgotten.status}`)
        } },
      ]
    },

    // [what, holds, is] each. The gate still runs, and nobody calls it.
    async verdict(gate) {
      away = 'none'
      const is = async () => (await gate.operator('GET', '/status')).json
      const caught = await until('all to be told of everything', async () => {
        if (stream.last < logs.last) await read(gate).catch(() => {})
        const { sinks, audit } = await is()
        return sinks.every((s) => s.behind === 0) && audit.witnesses.every((w) => w.behind === 0) && stream.last >= logs.last && { sinks, audit }
      }, 90000).catch(() => undefined)
      const { sinks, audit } = caught ?? await is()
      const segments = readdirSync(join(gate.dir, 'data/audit')).filter((f) => f.endsWith('.seg')).sort()
      cut.abort()
      return [
        ['sinks, witness and stream catch up', !!caught, `${sinks.map((s) => `${s.name} ${s.behind} behind`).join(', ')}, ${JSON.stringify(audit.witnesses)}`],
        ['the collector got each entry, in order', logs.last > 0 && logs.left === 0, `up to #${logs.last}, ${logs.left} left out, ${logs.again} twice`],
        ['the stream showed each entry once, in order', stream.left === 0 && stream.again === 0, `up to #${stream.last}, ${stream.left} left out, ${stream.again} twice`],
        ['the webhook got what it asked for, in order and signed', hook.taken > 0 && !hook.back && !hook.unsigned, JSON.stringify(hook)],
        ['the witness took every tree', witness.seen.every((s) => s.status === 200 || s.status === 409), `${witness.seen.length} times`],
        ['the oldest segments go', segments.length <= 2 + KEPT / SEGMENT + 8, `${segments.length} are there, from ${segments[0]} on`],
      ]
    },
    async stop() {
      cut.abort()
      await Promise.allSettled([collector.close(), receiver.close(), witness.stop()])
      rmSync(work, { recursive: true, force: true })
    },
  }
}
