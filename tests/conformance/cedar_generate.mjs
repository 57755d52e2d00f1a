// Random cases of Cedar for a comparison of two implementations: a schema, policies, links, entities and requests. Most are well
// typed, some are not. The same random numbers make the same case.
import { Writer, uidText } from './cedar_expressions.mjs'
import { o, render, text } from './cedar_tree.mjs'
import { ids, strings, texts, wrongTexts, T, randomType, some, schemaText, randomSchema } from './cedar_types.mjs'

// ---- policies

function randomScope(r, s, who, type, template) {
  const uid = (name) => uidText(name, r.pick(s.types.find((t) => t.name === name)?.ids ?? (r.chance(0.8) ? ids.slice(0, 2) : ids)))
  const up = s.types.find((t) => t.name === type)?.parents ?? []
  const at = template && r.chance(0.7) ? `?${who}` : uid(r.pick([...up, type]))
  return r.pick([
    ...(template ? [] : [who, `${who} is ${type}`, `${who} is ${type}`, `${who} is ${type}`, `${who} is ${type}`]),
    `${who} == ${template ? at : uid(type)}`, `${who} in ${at}`, `${who} is ${type} in ${at}`,
  ])
}

// What could as well stand in a scope.
function scopeLike(r, s) {
  const who = r.pick(['principal', 'resource'])
  const type = r.pick(s.types)
  const uid = uidText(type.name, r.pick(type.ids ?? ids.slice(0, 2)))
  const act = uidText(s.actionType, r.pick(s.actions).name)
  return o([r.pick([
    `${who} is ${type.name}`, `${who} in ${uid}`, `${who} == ${uid}`, `${uid} == ${who}`, `${who} is ${type.name} in ${uid}`,
    `action == ${act}`, `action in ${act}`,
  ])])
}

function randomPolicy(r, s, wrong, template, tangled = wrong ? 0.2 : 0) {
  const act = r.pick(s.actions.filter((x) => x.principals.length))
  const env = { principal: r.pick(act.principals), resource: r.pick(act.resources), context: act.context }
  const aim = { act, principal: env.principal, resource: env.resource } // a request that it may be about
  const principal = randomScope(r, s, 'principal', env.principal, template)
  const resource = randomScope(r, s, 'resource', env.resource, template)
  const name = uidText(s.actionType, act.name)
  const action = r.pick(['action', `action == ${name}`, `action == ${name}`, `action == ${name}`, `action in ${name}`, `action in [${name}]`,
    `action in [${some(r, s.actions).map((x) => uidText(s.actionType, x.name)).join(', ')}]`])
  // What the scope does not say may be anything: then the condition mostly does without it.
  const careless = () => r.chance(0.1)
  if (!/ is /.test(principal) && !/ == [^?]/.test(principal) && !careless()) env.principal = null
  if (!/ is /.test(resource) && !/ == [^?]/.test(resource) && !careless()) env.resource = null
  if (!/ == /.test(action) && !careless()) env.context = null
  const writer = new Writer(r, s, env, wrong, tangled)
  const conditions = Array.from({ length: r.pick([0, 1, 1, 1, 2]) }, () => ({
    kind: r.pick(['when', 'when', 'unless']), expr: writer.make(T.Bool, 1 + r.below(4)),
  }))
  if (conditions.length && r.chance(0.15)) conditions[0].expr = o(['', ' && ', ''], scopeLike(r, s), conditions[0].expr)
  const annotations = r.chance(0.15) ? [r.pick(['@id("x")', '@a', '@if("é\\n")', '@risk("high") @b("")'])] : []
  const effect = r.pick(['permit', 'permit', 'forbid'])
  return { annotations, effect, principal, action, resource, conditions, aim, template: /\?/.test(principal + resource) }
}

export function policyText(p) {
  const when = p.conditions.map((c) => ` ${c.kind} { ${render(c.expr)} }`).join('')
  return `${p.annotations.map((x) => `${x} `).join('')}${p.effect}(${p.principal}, ${p.action}, ${p.resource})${when};`
}

// ---- entities and requests

function json(r, s, t, wrong) {
  if (r.chance(wrong / 3)) t = randomType(r, s, 1)
  if (t.k === 'Bool') return r.chance(0.5)
  if (t.k === 'Long') return r.pick([0, 1, 2, 3, -1, 42, 4503599627370496])
  if (t.k === 'String') return r.pick(strings)
  if (t.k === 'Entity') {
    const uid = { type: t.name, id: r.pick(s.types.find((x) => x.name === t.name)?.ids ?? ids) }
    return r.chance(0.6) ? { __entity: uid } : uid
  }
  if (texts[t.k]) {
    const arg = r.pick(r.chance(wrong / 3) ? wrongTexts[t.k] : texts[t.k])
    return r.pick([{ __extn: { fn: t.k, arg } }, { __extn: { fn: t.k, arg } }, { fn: t.k, arg }, arg])
  }
  if (t.k === 'Set') return Array.from({ length: r.below(4) }, () => json(r, s, t.of, wrong))
  const fields = Object.entries(t.attrs).filter(([, at]) => (at.required ? !r.chance(wrong / 4) : r.chance(0.6)))
  if (r.chance(wrong / 4)) fields.push(['extra', { type: T.Long }])
  return Object.fromEntries(fields.map(([n, at]) => [n, json(r, s, at.type, wrong)]))
}

function randomEntities(r, s, wrong) {
  const list = []
  for (const t of s.types)
    for (const id of (t.ids ?? ids.slice(0, 4)).filter(() => r.chance(0.75))) {
      const parents = []
      // Upwards by id and by type only, so that there is mostly no cycle.
      for (const p of t.parents)
        for (const up of s.types.find((x) => x.name === p).ids ?? ids.slice(0, 4))
          if ((r.chance(wrong / 6) || p > t.name || (p === t.name && up > id)) && r.chance(0.35)) parents.push({ type: p, id: up })
      const entity = { uid: { type: t.name, id }, attrs: json(r, s, { k: 'Record', attrs: t.attrs }, wrong), parents }
      if (t.tags && r.chance(0.8)) entity.tags = Object.fromEntries(ids.filter(() => r.chance(0.5)).map((k) => [k, json(r, s, t.tags, wrong)]))
      list.push(entity)
    }
  return list
}

function randomRequest(r, s, wrong, policies) {
  const any = r.pick(s.actions.filter((x) => x.principals.length))
  const { act, principal, resource } =
    r.chance(0.8) ? r.pick(policies).aim : { act: any, principal: r.pick(any.principals), resource: r.pick(any.resources) }
  const uid = (name) => {
    const type = r.chance(wrong / 3) ? r.pick(s.types) : s.types.find((t) => t.name === name)
    return { type: type.name, id: r.pick(type.ids && !r.chance(wrong / 3) ? type.ids : ids.slice(0, r.chance(0.7) ? 2 : 5)) }
  }
  const validateRequest = !r.chance(0.15)
  return {
    principal: uid(principal),
    action: { type: s.actionType, id: r.chance(wrong / 4) ? r.pick(['none', ...s.actions.map((x) => x.name)]) : act.name },
    resource: uid(resource),
    // Where a request is not to be validated, cedar-wasm reads a context that has not quite its type; src/cedar refuses it always.
    context: json(r, s, act.context, validateRequest ? wrong : 0),
    validateRequest,
  }
}

// ---- cases

// A policy with little in it, of which there may be many.
function shortPolicy(r, s) {
  const p = randomPolicy(r, s, 0.02, false)
  const parts = Array.from({ length: r.below(4) }, () => scopeLike(r, s))
  if (r.chance(0.2)) parts.splice(r.below(parts.length + 1), 0, text(r.pick(['context.none', 'principal has a', 'true', 'resource == principal'])))
  p.conditions = parts.length ? [{ kind: r.pick(['when', 'when', 'unless']), expr: parts.reduce((x, y) => o(['', ' && ', ''], x, y)) }] : []
  return p
}

// kind: 'well' (typed), 'tangled' (typed but for what may be missing), 'ill', or 'untyped' (no schema given); a case says its policies as trees.
export function randomCase(r) {
  const kind = r.pick(['well', 'well', 'well', 'tangled', 'ill', 'ill', 'untyped'])
  const wrong = kind === 'well' || kind === 'tangled' ? 0 : r.pick([0.05, 0.15])
  const s = randomSchema(r)
  const many = r.chance(0.06)
  const policies = many ? Array.from({ length: 10 + r.below(70) }, () => shortPolicy(r, s)) :
    kind === 'tangled' ? [randomPolicy(r, s, 0, false, 0.8)] : Array.from({ length: 1 + r.below(5) }, () => randomPolicy(r, s, wrong, false))
  const templates = r.chance(0.25) ? [randomPolicy(r, s, wrong, true)].filter((p) => p.template) : []
  const links = []
  for (const [i, t] of templates.entries())
    for (const newId of ['link0', 'link1'].slice(0, r.below(3))) {
      const values = {}
      for (const who of ['principal', 'resource']) {
        const type = r.pick(s.types)
        if (t[who].includes(`?${who}`) && !r.chance(wrong / 4)) values[`?${who}`] = { type: type.name, id: r.pick(type.ids ?? ids) }
      }
      links.push({ template: i, newId, values })
    }
  return {
    kind, policies, templates, links,
    schema: kind === 'untyped' ? undefined : schemaText(r, s),
    entities: randomEntities(r, s, kind === 'ill' && r.chance(0.3) ? wrong : 0),
    requests: Array.from({ length: many ? 16 : 4 }, () => randomRequest(r, s, wrong, policies)),
  }
}
