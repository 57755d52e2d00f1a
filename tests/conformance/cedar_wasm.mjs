// src/cedar (the cedar_judge of the build) and @cedar-policy/cedar-wasm on random cases: what is accepted, the JSON form of
// policies, validation, decisions, reasons, errors; and what src/cedar writes is read again by the other. Prints each disagreement
// with its seed and the smallest case that still shows it, and last "N passed, N failed".
//
// Known differences, which are not asked about:
// - a policy whose scope fits no action: a warning of cedar-wasm 4.13, a fault for cedar-integration-tests, and so for src/cedar
// - JSON forms: members and functions in a policy that src/cedar does not know and refuses; objects written as arrays of their members, which
//   cedar-wasm happens to read; longs beyond 2^53, which do not come through JavaScript
// - contexts that have not quite the declared type, in requests that are not to be validated: src/cedar refuses them always
//
//   node cedar_wasm.mjs [SEED] [N]      N cases from SEED on; one alone repeats a disagreement
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { generator } from '../integration/lib/judge.mjs'
import { policyText, randomCase } from './cedar_generate.mjs'
import { namesCase } from './cedar_names.mjs'
import { broken, brokenValue, smaller } from './cedar_tree.mjs'

const wasm = createRequire(import.meta.url)('@cedar-policy/cedar-wasm/nodejs')
const judgePath = join(process.env.DOORWARD_BUILD ?? 'build', 'tests/conformance/cedar_judge')
const BATCH = 100
const SHOWN = 10 // disagreements that are made small and printed
const TRIES = 600 // smaller cases that are tried for each

// What the judge reads; what cedar-wasm is asked is made of it too.
function question(c) {
  const all = [...c.policies, ...c.templates]
  return {
    policies: c.text ?? all.map((p, i) => `${c.comments ? `// ${i}\n` : ''}${policyText(p)}`).join('\n'),
    links: c.links.map(({ template, newId, values }) => ({ templateId: `policy${c.policies.length + template}`, newId, values })),
    schema: c.schema, entities: c.entities, requests: c.requests,
  }
}

// ---- the other's opinion

const faults = (v) => [...v.validationErrors, ...v.validationWarnings.filter((w) => /unable to find an applicable action/.test(w.error.message))]

const failure = (answer) => (answer.type === 'success' ? null : answer.errors?.map((e) => e.message).join(' | ') ?? 'failure')

const exact = (e) => !JSON.stringify(e).match(/[:[]-?\d{16,}[,}\]]/)

// A constant that is a set, a record or a call, as the expression that makes it.
function constant(v) {
  if (Array.isArray(v)) return { Set: v.map(constant) }
  if (typeof v !== 'object' || v === null) return { Value: v }
  const { __entity: uid, __extn: call } = Object.keys(v).length === 1 ? v : {}
  if (typeof uid?.type === 'string' && typeof uid.id === 'string') return { Value: v }
  if (typeof call?.fn === 'string' && ('arg' in call || Array.isArray(call.args)))
    return { [call.fn]: ('arg' in call ? [call.arg] : call.args).map(constant) }
  return { Record: Object.fromEntries(Object.entries(v).map(([k, x]) => [k, constant(x)])) }
}

// The same tree in one spelling: a.b.c behind `has` is a chain, a pattern's letters stand together, a list of one is that one.
function spelled(x) {
  if (Array.isArray(x)) return x.map(spelled)
  if (typeof x !== 'object' || x === null) return x
  if (x.Record) return { Record: Object.fromEntries(Object.entries(x.Record).map(([k, v]) => [k, spelled(v)])) }
  if ('Value' in x) return constant(x.Value)
  if (x.has && Array.isArray(x.has.attr)) {
    const [first, ...rest] = x.has.attr
    let left = spelled(x.has.left)
    let all = { has: { left, attr: first } }
    let before = first
    for (const attr of rest) {
      left = { '.': { left, attr: before } }
      all = { '&&': { left: all, right: { has: { left, attr } } } }
      before = attr
    }
    return all
  }
  if (x.op === 'in' && x.entities?.length === 1) return { op: 'in', entity: x.entities[0] }
  if (Array.isArray(x.like?.pattern)) {
    const pattern = []
    for (const p of x.like.pattern)
      if (p.Literal !== undefined && pattern.at(-1)?.Literal !== undefined) pattern.push({ Literal: pattern.pop().Literal + p.Literal })
      else pattern.push(p)
    return { like: { left: spelled(x.like.left), pattern } }
  }
  return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, spelled(v)]))
}

function setOf(c, q) {
  const parts = wasm.policySetTextToParts(q.policies)
  if (parts.type === 'failure') return { refused: failure(parts) }
  const templates = Object.fromEntries(c.templates.map((t, i) => [`policy${c.policies.length + i}`, policyText(t)]))
  const set = { staticPolicies: c.policies.map(policyText).join('\n'), templates, templateLinks: q.links }
  return { set, links: failure(wasm.checkParsePolicySet(set)) }
}

function theirs(c, q) {
  const t = {}
  if (c.text !== undefined) return { policies: failure(wasm.policySetTextToParts(c.text)) }
  const { set, refused, links } = setOf(c, q)
  t.policies = refused ?? null
  if (set) {
    t.links = links
    const est = [...c.policies.map((p) => wasm.policyToJson(policyText(p))), ...c.templates.map((p) => wasm.templateToJson(policyText(p)))]
    if (est.every((e) => e.type === 'success')) t.est = est.map((e) => e.json)
  }
  const schema = c.schema
  const usable = set && !links
  if (schema !== undefined) {
    t.schema = failure(wasm.checkParseSchema(schema))
    if (t.schema) return t
    if (usable) {
      const v = wasm.validate({ schema, policies: set })
      t.validates = failure(v) ?? (faults(v).map((e) => e.error.message).join(' | ') || null)
    }
  }
  t.entities = failure(wasm.checkParseEntities({ entities: c.entities, schema }))
  if (t.entities || !usable) return t
  t.requests = c.requests.map((r) => {
    const answer = wasm.isAuthorized({ ...r, schema, policies: set, entities: c.entities })
    if (answer.type === 'failure') return { refused: failure(answer) }
    const { decision, diagnostics } = answer.response
    return {
      decision, reason: [...diagnostics.reason].sort(), errors: [...new Set(diagnostics.errors.map((e) => e.policyId))].sort(),
      why: diagnostics.errors[0]?.error.message,
    }
  })
  return t
}

// ---- the comparison

const verdict = (words) => (words === undefined ? 'was not asked' : words === null ? 'accepted' : `refused (${words})`)

// The JSON forms of a text's policies and templates, in some order; null when it cannot be read.
function treesOf(text) {
  const parts = wasm.policySetTextToParts(text)
  if (parts.type === 'failure') return null
  const trees = [...parts.policies.map((p) => wasm.policyToJson(p)), ...parts.policy_templates.map((p) => wasm.templateToJson(p))]
  return trees.map((t) => JSON.stringify(spelled(t.json ?? null))).sort()
}

// What is read of a JSON form, as a policy or as a template.
function readEst(est) {
  let refused
  for (const read of [wasm.policyToJson, wasm.templateToJson])
    try {
      const answer = read(est)
      if (answer.type === 'success') return { json: answer.json }
      refused = failure(answer)
    } catch (e) {
      refused = String(e)
    }
  return { refused }
}

// A list of { what, text }.
function differences(c, q, their, our) {
  if (!our) return [{ what: 'died', text: 'the judge died' }]
  const found = []
  const differ = (what, theirWords, ourWords) => found.push({ what, text: `${what}: cedar-wasm ${theirWords}, src/cedar ${ourWords}` })
  for (const what of c.text !== undefined ? ['policies'] : ['policies', 'links', 'schema', 'validates', 'entities'])
    if ((their[what] === undefined) !== (our[what] === undefined)) {
      if (found.length === 0) differ(what, verdict(their[what]), verdict(our[what]))
    } else if (their[what] !== undefined && (their[what] === null) !== (our[what] === null)) {
      if (/ is an array: expected an object/.test(our[what])) return []
      differ(what, verdict(their[what]), verdict(our[what]))
    }
  if (found.length) return found
  const text = (x) => JSON.stringify(x)
  for (const [i, e] of (their.broken ?? []).entries()) {
    const got = our.estAgain[i]
    if (typeof got === 'string' && /: there is no (member|extension function) |and one of them only|the value whose method it is/.test(got)) continue
    const same = e.refused === undefined ? isDeepStrictEqual(typeof got === 'string' ? got : spelled(got), spelled(e.json)) : typeof got === 'string'
    if (!same && exact(e)) differ('JSON form read', text(e.refused ?? e.json), text(got))
  }
  for (const [i, e] of (their.est ?? []).entries()) {
    if (!isDeepStrictEqual(spelled(e), spelled(our.est[i]))) differ('JSON form', text(spelled(e)), text(spelled(our.est[i])))
    if (!their.broken && exact(e) && !isDeepStrictEqual(spelled(our.estAgain[i]), spelled(e)))
      differ('JSON form read', text(e), text(our.estAgain[i]))
    const again = (i < c.policies.length ? wasm.policyToJson : wasm.templateToJson)(our.printed[i])
    if (!isDeepStrictEqual(again.json && spelled(again.json), spelled(e)))
      differ('printed', text(spelled(e)), `${our.printed[i]} which is ${failure(again) ?? text(spelled(again.json))}`)
  }
  if (our.policies === null) {
    const trees = treesOf(our.formatted ?? '?')
    if (!isDeepStrictEqual(trees, treesOf(q.policies))) differ('formatted', text(q.policies), text(our.formatted ?? our.formatRefused))
  }
  if (c.text !== undefined) return found
  if (our.links === null && their.est?.every(exact)) {
    const refused = failure(wasm.checkParsePolicySet(our.setJson))
    if (refused) differ('set written', refused, text(our.setJson))
  }
  if (our.schema === null)
    for (const written of [our.schemaText, our.schemaJson]) {
      const refused = failure(wasm.checkParseSchema(written))
      if (refused) differ('schema written', refused, text(written))
      else if (their.validates !== undefined && c.schema !== undefined) {
        const v = wasm.validate({ schema: written, policies: setOf(c, q).set })
        const valid = v.type === 'success' && faults(v).length === 0
        if (valid !== (their.validates === null)) differ('schema written', 'validates otherwise with', text(written))
      }
    }
  if (our.entities === null) {
    const refused = failure(wasm.checkParseEntities({ entities: our.entitiesJson, schema: c.schema }))
    if (refused) differ('entities written', refused, text(our.entitiesJson))
  }
  for (const [i, r] of (their.requests ?? []).entries()) {
    const got = our.requests[i]
    const key = (x) => (x.refused === undefined ? text([x.decision, x.reason, x.errors]) : 'refused')
    if (key(r) !== key(got)) differ('request', text(r), text(got))
  }
  return found
}

// ---- asking

function ask(lines) {
  const run = spawnSync(judgePath, [], { input: lines.map((l) => JSON.stringify(l) + '\n').join(''), encoding: 'utf8', maxBuffer: 1 << 30 })
  const answers = run.stdout.split('\n').slice(0, -1)
  if (run.status === 0 && answers.length === lines.length) return answers.map((l) => JSON.parse(l))
  if (lines.length === 1) return [null]
  return lines.flatMap((l) => ask([l])) // one of them killed it
}

// The question with what only the other can give: its JSON forms, for reading; now and then its form of the schema.
function prepared(c) {
  const q = question(c)
  const their = theirs(c, q)
  const line = { ...q, est: their.est }
  if (their.est && c.breakEst) {
    line.est = c.est ?? their.est.map((e) => brokenValue(generator(c.breakEst), e))
    their.broken = line.est.map(readEst)
    c.est = line.est
  }
  if (c.asSet && their.est?.every(exact) && their.links === null) {
    const named = their.est.map((e, i) => [`policy${i}`, e])
    const [staticPolicies, templates] = [named.slice(0, c.policies.length), named.slice(c.policies.length)].map(Object.fromEntries)
    line.set = { staticPolicies, templates, templateLinks: q.links }
  }
  if (c.schemaAsJson && their.schema === null && typeof c.schema === 'string') line.schema = wasm.schemaToJson(c.schema).json
  return { q, their, line }
}

function judged(cases) {
  const asked = cases.map(prepared)
  const answers = ask(asked.map((x) => x.line))
  return asked.map(({ q, their }, i) => ({ their, differences: differences(cases[i], q, their, answers[i]) }))
}

// ---- making it small

const without = (list, i) => list.filter((_, k) => k !== i)

function* smallerText(text) {
  const lines = text.split('\n')
  if (lines.length > 1) for (const i of lines.keys()) yield without(lines, i).join('\n')
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\w+|\s+|[^]/g) ?? []
  for (const size of [16, 4, 1])
    for (let i = 0; i + size <= tokens.length; i += size) yield [...tokens.slice(0, i), ...tokens.slice(i + size)].join('')
}

function* smallerValue(v) {
  if (Array.isArray(v)) {
    for (const i of v.keys()) yield without(v, i)
    for (const [i, x] of v.entries()) for (const s of smallerValue(x)) yield v.map((old, k) => (k === i ? s : old))
  } else if (typeof v === 'object' && v !== null) {
    for (const k of Object.keys(v)) yield Object.fromEntries(Object.entries(v).filter(([n]) => n !== k))
    for (const k of Object.keys(v)) for (const s of smallerValue(v[k])) yield { ...v, [k]: s }
  }
}

function* smallerCases(c) {
  if (c.asSet) yield { ...c, asSet: false }
  if (c.schema !== undefined && c.schemaAsJson) yield { ...c, schemaAsJson: false }
  if (c.est) for (const i of c.est.keys()) for (const e of smallerValue(c.est[i])) yield { ...c, est: c.est.map((old, k) => (k === i ? e : old)) }
  for (const i of c.requests.keys()) yield { ...c, requests: without(c.requests, i) }
  for (const i of c.links.keys()) yield { ...c, links: without(c.links, i) }
  if (!c.links.length) for (const i of c.templates.keys()) yield { ...c, templates: without(c.templates, i) }
  for (const i of c.policies.keys()) yield { ...c, policies: without(c.policies, i) }
  if (typeof c.text === 'string') for (const text of smallerText(c.text)) yield { ...c, text }
  for (const entities of smallerValue(c.entities)) yield { ...c, entities }
  if (c.schema !== undefined) for (const schema of (typeof c.schema === 'string' ? smallerText : smallerValue)(c.schema)) yield { ...c, schema }
  for (const [i, p] of c.policies.entries()) {
    const put = (change) => ({ ...c, policies: c.policies.map((old, k) => (k === i ? { ...p, ...change } : old)) })
    if (p.annotations.length) yield put({ annotations: [] })
    for (const who of ['principal', 'action', 'resource']) if (p[who] !== who) yield put({ [who]: who })
    for (const k of p.conditions.keys()) yield put({ conditions: without(p.conditions, k) })
    for (const [k, when] of p.conditions.entries())
      for (const expr of smaller(when.expr)) yield put({ conditions: p.conditions.map((old, m) => (m === k ? { ...when, expr } : old)) })
  }
  for (const [i, r] of c.requests.entries())
    for (const context of smallerValue(r.context)) yield { ...c, requests: c.requests.map((old, k) => (k === i ? { ...r, context } : old)) }
}

function small(c, what) {
  const shows = (x) => judged([x])[0].differences.find((d) => d.what === what)
  let tries = TRIES
  for (let again = true; again && tries > 0; ) {
    again = false
    for (const s of smallerCases(c)) {
      if (tries-- <= 0) break
      if (!shows(s)) continue
      c = s
      again = true
      break
    }
  }
  return { c, text: shows(c)?.text }
}

// ---- the run

// A broken text asks only whether it is read.
function caseOf(seed) {
  const r = generator(seed)
  const c = r.chance(0.12) ? namesCase(r) : randomCase(r)
  c.comments = r.chance(0.3)
  c.schemaAsJson = r.chance(0.4)
  c.asSet = r.chance(0.3)
  const breakage = r.below(12)
  const nothing = { policies: [], templates: [], links: [], requests: [], schema: undefined, entities: [] }
  if (breakage === 0) return { ...c, ...nothing, text: broken(r, question(c).policies) }
  if (breakage === 1 && c.schema) return { ...c, schema: broken(r, c.schema), requests: [] }
  if (breakage === 2) return { ...c, entities: brokenValue(r, c.entities), requests: [] }
  if (breakage === 3) return { ...c, breakEst: 1 + r.below(2 ** 31), requests: [] }
  if (breakage === 4) return { ...c, requests: c.requests.map((q) => ({ ...q, context: brokenValue(r, q.context), validateRequest: true })) }
  if (breakage === 5 && c.schema) return { ...c, schema: brokenValue(r, wasm.schemaToJson(c.schema).json), requests: [] }
  return c
}

// Cases from seed on: { passed, failed, shares: how often was what answered, shown: texts of the first disagreements }.
export function compare(seed, n, say = () => {}) {
  const result = { passed: 0, failed: 0, shares: {}, shown: [] }
  const count = (what) => (result.shares[what] = (result.shares[what] ?? 0) + 1)
  for (let from = 0; from < n; from += BATCH) {
    const cases = Array.from({ length: Math.min(BATCH, n - from) }, (_, i) => caseOf(seed + from + i))
    for (const [i, { their, differences: found }] of judged(cases).entries()) {
      for (const what of ['policies', 'schema', 'entities', 'validates'])
        if (their[what] !== undefined) count(`${what} ${their[what] === null ? 'accepted' : 'refused'}`)
      for (const e of their.broken ?? []) count(`broken JSON form ${e.refused === undefined ? 'accepted' : 'refused'}`)
      for (const r of their.requests ?? [])
        count(r.refused === undefined ? `${r.decision}${r.errors.length ? ' with errors' : ''}` : 'request refused')
      if (!found.length) {
        result.passed++
        continue
      }
      result.failed++
      if (result.shown.length >= SHOWN) continue
      const least = small(cases[i], found[0].what)
      const { policies, ...rest } = { ...question(least.c), est: least.c.est }
      const text = `seed ${seed + from + i}: ${least.text ?? found[0].text}\n${policies}\n${JSON.stringify(rest)}\n`
      result.shown.push(text)
      say(text)
    }
    say(`${from + cases.length} of ${n} cases, ${result.failed} failed`, true)
  }
  return result
}

if (process.argv[1] === import.meta.filename) {
  const seed = Number(process.argv[2] || Math.floor(Math.random() * 2 ** 31))
  const n = Number(process.argv[3] || 2000)
  console.error(`seed ${seed}, ${n} cases`)
  const { passed, failed, shares } = compare(seed, n, (text, progress) => (progress ? console.error(text) : console.log(text)))
  for (const [what, times] of Object.entries(shares).sort()) console.error(`${what}: ${times}`)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed ? 1 : 0
}
