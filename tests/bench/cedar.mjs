// ./dev bench cedar [N]: decisions of src/cedar and of cedar-wasm over the same policies and requests, shaped like a gateway's: sets of
// 20, 1,000 and 10,000 policies. Median and p99 of a decision; what it takes to load 10,000 policies, and N entities (1,000,000).
// src/cedar has all entities in its store; cedar-wasm takes them with each call, and gets only those that the request names.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

const N = Number(process.argv[2] ?? 1000000)
const wasm = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs')
const program = join(process.env.DOORWARD_BUILD ?? 'build-release', 'tests/bench/bench_cedar')
const ours = (...args) => JSON.parse(execFileSync(program, args.map(String), { maxBuffer: 1 << 28 }))

let seed = 1
const random = (n) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * n)
}
const pick = (list) => list[random(list.length)]

// A gateway with as many tools as so many policies are about: rules for everybody, rules for each type of agents, rules for each tool.
function world(policies) {
  const types = Math.max(3, Math.round(policies / 200))
  const everybody = [
    'forbid(principal, action, resource) when { context.session.calls >= 100 };',
    'forbid(principal, action, resource) unless { context.session.source.isInRange(ip("10.0.0.0/8")) };',
    'forbid(principal, action in Action::"write", resource) when { context.time.hour < 6 || context.time.hour >= 22 };',
    'forbid(principal is Agent, action, resource) when { resource.risk == "critical" && context.session.tier != "gold" };',
  ]
  const byType = []
  for (let t = 0; t < types; t++) {
    byType.push(`permit(principal in AgentType::"type-${t}", action in Action::"read", resource) when { resource.risk == "low" };`)
    byType.push(`forbid(principal in AgentType::"type-${t}", action, resource in Server::"server-${t}") when { context.session.age > ${3600 + t} };`)
  }
  const tools = []
  const byTool = []
  for (let i = 0; everybody.length + byType.length + byTool.length < policies; i++) {
    const tool = { name: `tool_${i}`, type: i % types, server: i % Math.max(2, Math.round(policies / 40)), kind: i % 3 ? 'read' : 'write',
                   risk: ['low', 'high', 'critical'][i % 3] }
    tools.push(tool)
    byTool.push(`permit(principal in AgentType::"type-${tool.type}", action == Action::"${tool.name}", resource) when { context.session.scopes.contains("server-${tool.server}:${tool.kind}") };`)
    if (i % 2 && everybody.length + byType.length + byTool.length < policies)
      byTool.push(`forbid(principal, action == Action::"${tool.name}", resource == Tool::"server-${tool.server}/${tool.name}") when { context.input has amount && context.input.amount > ${100 + i} };`)
  }
  return { types, tools, text: [...everybody, ...byType, ...byTool].join('\n') }
}

const uid = (type, id) => ({ type, id })
const entity = (u, attrs = {}, parents = []) => ({ uid: u, attrs, parents })

function entitiesOf({ types, tools }) {
  const list = [...Array(types * 4).keys()].map((i) => entity(uid('Agent', `agent-${i}`), { owner: `person-${i}`, environment: 'production' },
    [uid('AgentType', `type-${i % types}`)]))
  for (const t of tools) {
    list.push(entity(uid('Action', t.name), {}, [uid('Action', t.kind), uid('Action', `server-${t.server}`)]))
    list.push(entity(uid('Tool', `server-${t.server}/${t.name}`), { risk: t.risk }, [uid('Server', `server-${t.server}`)]))
  }
  return list
}

// Mostly an agent of the type that the tool is for.
function requestOf({ types, tools }) {
  const t = pick(tools)
  const agent = random(10) ? t.type + types * random(4) : random(types * 4)
  const server = `server-${t.server}`
  return { principal: uid('Agent', `agent-${agent}`), action: uid('Action', t.name), resource: uid('Tool', `${server}/${t.name}`),
    context: {
      session: { id: `ses_${random(1e6)}`, calls: random(110), age: random(4000), tier: pick(['gold', 'silver']), user: `usr_${random(1e6)}`, taints: [],
        scopes: ['profile', `${server}:read`, ...(random(2) ? [`${server}:write`] : []), 'orders:read:user:usr_abc123'],
        source: { __extn: { fn: 'ip', arg: `${random(10) ? 10 : 11}.1.${random(256)}.7` } } },
      time: { hour: random(24), weekday: random(7) },
      input: random(2) ? { amount: random(1000), currency: 'EUR' } : { order_id: `ord_${random(1e6)}` },
    } }
}

const at = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]

function theirs(text, requests, entities) {
  const byId = new Map(entities.map((e) => [`${e.uid.type}/${e.uid.id}`, e]))
  const start = performance.now()
  const parsed = wasm.preparsePolicySet('set', { staticPolicies: text })
  const load = performance.now() - start
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed.errors))
  const took = []
  let decisions = ''
  for (const r of requests) {
    const named = [r.principal, r.action, r.resource].map((u) => byId.get(`${u.type}/${u.id}`)).filter(Boolean)
    const before = performance.now()
    const answer = wasm.statefulIsAuthorized({ ...r, preparsedPolicySetId: 'set', entities: named })
    took.push((performance.now() - before) * 1e6)
    if (answer.type !== 'success') throw new Error(JSON.stringify(answer.errors))
    decisions += answer.response.decision[0]
  }
  took.sort((a, b) => a - b)
  return { median: at(took, 0.5), p99: at(took, 0.99), load: load * 1e6, decisions }
}

const row = (...cells) => console.log(cells.map((c, i) => i ? String(c).padStart(14) : String(c).padEnd(34)).join(''))
const us = (ns) => (ns / 1000).toFixed(ns < 1e4 ? 2 : 0)
const ms = (ns) => (ns / 1e6).toFixed(1)
const mib = (bytes) => (bytes / 2 ** 20).toFixed(1)

const folder = mkdtempSync(join(tmpdir(), 'bench-cedar-'))
try {
  row('us for a decision', 'median', 'p99')
  let loads
  for (const policies of [20, 1000, 10000]) {
    const w = world(policies)
    const entities = entitiesOf(w)
    const requests = Array.from({ length: 2000 }, () => requestOf(w))
    writeFileSync(join(folder, 'policies.cedar'), w.text)
    writeFileSync(join(folder, 'entities.json'), JSON.stringify(entities))
    writeFileSync(join(folder, 'requests.json'), JSON.stringify(requests))
    const a = ours('decide', folder)
    const b = theirs(w.text, requests.slice(0, policies > 1000 ? 200 : 1000), entities)
    row(`${policies} policies`, us(a.median), us(a.p99))
    row('  and the context read from JSON', us(a.read_median), us(a.read_p99))
    row('  cedar-wasm', us(b.median), us(b.p99))
    const differ = [...b.decisions].filter((d, i) => d !== a.decisions[i]).length
    const allowed = [...a.decisions].filter((d) => d === 'a').length
    console.log(`  ${allowed} of ${requests.length} allowed; ${differ} of ${b.decisions.length} decided differently by cedar-wasm`)
    loads = { a, b, clock: a.clock }
  }
  console.log(`(reading the clock takes ${loads.clock} ns, which is in each figure)\n`)
  row('to load', 'ms', 'MiB')
  row('10000 policies', `${ms(loads.a.parse + loads.a.compile)}`, mib(loads.a.bytes))
  row('  parsing, compiling', `${ms(loads.a.parse)} + ${ms(loads.a.compile)}`)
  row('  cedar-wasm', ms(loads.b.load))
  const e = ours('entities', N)
  row(`${N} entities (${mib(e.text)} MiB JSON)`, ms(e.load), mib(e.bytes))
} finally {
  rmSync(folder, { recursive: true })
}
