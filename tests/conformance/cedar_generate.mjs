// Random cases of Cedar for a comparison of two implementations: a schema, policies, links, entities and requests. Most are well
// typed, some are not, some are broken texts. The same random numbers make the same case.
//
// A text is a tree until it is asked: a node has pieces of text with children between them, so that the comparison can make a
// failing case smaller by putting a child in its parent's place (render, smaller).

// A child gets brackets unless it needs none, or its parent's text has some; `loose`: none although it might need them.
const node = (atom) => (pieces, ...children) => ({ pieces, children, atom })
const a = node(true) // a member, a call, a literal
const o = node(false) // operators
const text = (s) => ({ pieces: [s], children: [], atom: true })

export function render(n) {
  if (typeof n === 'string') return n
  return n.pieces.reduce((out, piece, i) => {
    const child = n.children[i - 1]
    const open = /[(\[{,:]\s*$/.test(n.pieces[i - 1]) && /^\s*[)\]},:]/.test(piece)
    return out + (child.atom || child.loose || open ? render(child) : `(${render(child)})`) + piece
  })
}

// Trees that are like n but smaller, largest change first.
export function* smaller(n) {
  for (const c of n.children) yield c
  if (n.children.length || n.pieces[0] !== 'true') yield text('true')
  for (const [i, c] of n.children.entries())
    for (const s of smaller(c)) yield { ...n, children: n.children.map((old, k) => (k === i ? s : old)) }
}

const quote = (s) => `"${[...s].map((c) => ({ '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0' })[c] ?? c).join('')}"`
const identifier = (s) => /^[A-Za-z_][A-Za-z_0-9]*$/.test(s) && !/^(true|false|if|then|else|in|is|like|has|__cedar)$/.test(s)
const key = (s) => (identifier(s) ? s : quote(s))

const ids = ['a', 'b', 'c', 'd e', 'é"\\', '', 'x*y']
const attrNames = ['a', 'b', 'c', 'name', 'n', 'level', 'has', 'x y', 'é', 'if', '', 'principal']
const strings = ['', 'a', 'ab', 'abc', 'a*b', 'é🐲', 'x y', 'a\nb', '"\\"', '\0', 'A', 'aab']
const patterns = ['*', 'a*', '*b', 'a*b', 'a\\*b', '*a*b*', '', 'é*', '\\u{1F432}*', '**', '*\\"*', 'a\\n*']
const longs = ['0', '1', '2', '3', '7', '42', '-1', '-7', '100', '9223372036854775807', '-9223372036854775808', '4611686018427387904', '3037000500']
const texts = {
  decimal: ['0.0', '1.5', '-1.2345', '12.34', '0.1', '922337203685477.5807', '-922337203685477.5808', '1.50', '00.5', '-0.0'],
  ip: ['127.0.0.1', '10.0.0.0/8', '10.1.2.3', '192.168.0.1/24', '::1', 'ff00::/8', '2001:db8::1/64', '224.0.0.1', '0.0.0.0/0', '::/0', '1:2:3:4:5:6:7:8', '127.0.0.1/32', '127.1.2.3/16', 'FF02::1', '::ffff:0:0/96'],
  datetime: ['2024-10-15', '1970-01-01', '2024-10-15T11:35:00Z', '2024-10-15T11:35:00.123Z', '2024-10-15T11:35:00+0130', '2024-02-29T23:59:59.999-1200', '1969-12-31T23:59:59Z', '0000-01-01', '9999-12-31T23:59:59.999Z'],
  duration: ['1d2h3m4s5ms', '-1h', '1ms', '0ms', '90m', '1d', '86400000ms', '-1d1ms', '9223372036854775807ms', '106751991167d', '2h'],
}
const wrongTexts = {
  decimal: ['1', '1.', '.5', '1.23456', '+1.0', '922337203685477.5808', 'a', '', ' 1.0', '1.0 ', '1e1', '--1.0'],
  ip: ['1.2.3', '256.0.0.1', '1.2.3.4/33', '01.2.3.4', '::g', '1.2.3.4/', '::1/129', '1::2::3', '', '::ffff:1.2.3.4', '1.2.3.4/08', '1.2.3.4/+8', '12345::', ' 1.2.3.4'],
  datetime: ['2024-13-01', '2023-02-29', '2024-10-15T', '2024-10-15T24:00:00Z', '2024-10-15T11:35:60Z', '2024-10-15T11:35:00', '2024-1-1', '2024-10-15T11:35:00.1Z', '2024-10-15T11:35:00+2400', '2024-10-15 ', '+2024-10-15', '2024-10-15T11:35:00z', '2024-10-15T11:35:00+01:00', ''],
  duration: ['1', 'h', '1h1d', '1h1h', '', '-', '9223372036854775808ms', '1 h', '+1h', '1H', '1.5h', '106751991168d', '1dms'],
}
const extKinds = Object.keys(texts)

const T = Object.fromEntries(['Bool', 'Long', 'String', ...extKinds].map((k) => [k, { k }]))
const same = (x, y) =>
  x.k === y.k && (x.k !== 'Entity' || x.name === y.name) && (x.k !== 'Set' || same(x.of, y.of)) &&
  (x.k !== 'Record' || (Object.keys(x.attrs).length === Object.keys(y.attrs).length &&
    Object.entries(x.attrs).every(([n, t]) => y.attrs[n] && y.attrs[n].required === t.required && same(t.type, y.attrs[n].type))))

// ---- schemas

function randomType(r, s, depth) {
  const x = r.below(depth > 0 ? 14 : 9)
  if (x < 1) return T.Bool
  if (x < 3) return T.Long
  if (x < 4) return T.String
  if (x < 6) return { k: 'Entity', name: r.pick(s.types).name }
  if (x < 9) return T[r.pick(extKinds)]
  if (x < 11) return { k: 'Set', of: randomType(r, s, depth - 1) }
  if (x < 12 && s.common.length) return r.pick(s.common).type
  return { k: 'Record', attrs: randomAttrs(r, s, depth - 1) }
}

function randomAttrs(r, s, depth) {
  const attrs = {}
  for (let n = r.below(4); n > 0; n--) attrs[r.pick(attrNames)] = { type: randomType(r, s, depth), required: r.chance(0.6) }
  return attrs
}

// A name as it may be written within the namespace `space`.
const nameIn = (r, space, name) => (space && name.startsWith(space) && r.chance(0.6) ? name.slice(space.length) : name)

function typeText(r, t, s, space) {
  const common = s.common.find((c) => c.type === t)
  if (common) return nameIn(r, space, common.name)
  if (t.k === 'Set') return `Set<${typeText(r, t.of, s, space)}>`
  if (t.k === 'Record') return attrsText(r, t.attrs, s, space)
  if (t.k === 'Entity') return nameIn(r, space, t.name)
  return (r.chance(0.05) ? '__cedar::' : '') + (t.k === 'ip' ? 'ipaddr' : t.k)
}
const attrsText = (r, attrs, s, space) =>
  `{${Object.entries(attrs).map(([n, { type, required }]) => `${noted(r)}${key(n)}${required ? '' : '?'}: ${typeText(r, type, s, space)}`).join(', ')}${r.chance(0.1) && Object.keys(attrs).length ? ',' : ''}}`
const noted = (r) => (r.chance(0.04) ? r.pick(['@doc("x") ', '@a ', '@if("\\n")\n']) : '')

function randomSchema(r) {
  const s = { types: [], common: [], actions: [] }
  const space = r.pick(['', '', 'App::', 'Lib::Core::'])
  const second = r.chance(0.2) ? 'Other::' : space
  for (const name of ['User', 'Team', 'Doc', 'Folder', 'Color', 'in_1'].slice(0, 3 + r.below(4)))
    s.types.push({ space: r.chance(0.8) ? space : second, base: name })
  for (const t of s.types) {
    t.name = t.space + t.base
    if (t.base === 'Color') t.ids = ids.slice(0, 1 + r.below(3))
  }
  for (const name of ['Level', 'Address', 'Tagging'].slice(0, r.below(4)))
    s.common.push({ name: space + name, space, base: name, type: { ...(r.chance(0.5) ? { k: 'Record', attrs: randomAttrs(r, s, 1) } : randomType(r, { types: s.types, common: [] }, 1)) } })
  for (const t of s.types) {
    t.parents = t.ids ? [] : s.types.filter(() => r.chance(0.3)).map((p) => p.name)
    t.attrs = t.ids ? {} : randomAttrs(r, s, 2)
    if (!t.ids && r.chance(0.4)) t.tags = randomType(r, s, 1)
  }
  s.actionType = `${space}Action`
  s.space = space
  for (const name of ['view', 'edit', 'a b', 'all'].slice(0, 2 + r.below(3))) {
    const groups = s.actions.filter(() => r.chance(0.3)).map((x) => x.name)
    const act = { name, groups, principals: [], resources: [], context: { k: 'Record', attrs: {} } }
    if (s.actions.length === 0 || r.chance(0.85)) {
      act.principals = some(r, s.types).map((t) => t.name)
      act.resources = some(r, s.types).map((t) => t.name)
      const record = s.common.find((c) => c.type.k === 'Record')
      act.context = record && r.chance(0.3) ? record.type : { k: 'Record', attrs: randomAttrs(r, s, 2) }
    }
    s.actions.push(act)
  }
  return s
}

function some(r, list) {
  const chosen = list.filter(() => r.chance(0.4))
  return chosen.length ? chosen : [r.pick(list)]
}

function schemaText(r, s) {
  const spaces = new Map()
  const say = (space, line) => spaces.set(space, [...(spaces.get(space) ?? []), noted(r) + line])
  const names = (space, list) => (list.length === 1 && r.chance(0.3) ? nameIn(r, space, list[0]) : `[${list.map((n) => nameIn(r, space, n)).join(', ')}]`)
  for (const c of s.common) say(c.space, `type ${c.base} = ${typeText(r, { ...c.type }, s, c.space)};`)
  for (const t of s.types) {
    if (t.ids) say(t.space, `entity ${t.base} enum [${t.ids.map(quote).join(', ')}];`)
    else
      say(t.space, `entity ${t.base}${t.parents.length ? ` in ${names(t.space, t.parents)}` : ''} ${
        Object.keys(t.attrs).length || r.chance(0.1) ? r.pick(['', '', '= ']) + attrsText(r, t.attrs, s, t.space) : ''}${t.tags ? ` tags ${typeText(r, t.tags, s, t.space)}` : ''};`)
  }
  const group = (g) => r.pick([quote(g), quote(g), key(g), `Action::${quote(g)}`, `${s.actionType}::${quote(g)}`])
  for (const x of s.actions) {
    const context = Object.keys(x.context.attrs).length || r.chance(0.5) ? `, context: ${typeText(r, x.context, s, s.space)}` : ''
    say(s.space, `action ${key(x.name)}${x.groups.length ? ` in [${x.groups.map(group).join(', ')}]` : ''}${
      x.principals.length ? ` appliesTo {principal: ${names(s.space, x.principals)}, resource: ${names(s.space, x.resources)}${context}}` : ''};`)
  }
  return [...spaces].map(([space, lines]) => (space ? `${noted(r)}namespace ${space.slice(0, -2)} {\n${lines.join('\n')}\n}` : lines.join('\n'))).join('\n')
}

// ---- expressions

const uidText = (type, id) => `${type}::${quote(id)}`

class Writer {
  constructor(r, s, env, wrong) {
    Object.assign(this, { r, s, env, wrong, careless: wrong && 0.3 })
    this.paths = []
    for (const [name, type] of [['principal', env.principal], ['resource', env.resource]])
      if (type) this.walk(text(name), { k: 'Entity', name: type }, [], 2)
    if (env.context) this.walk(text('context'), env.context, [], 2)
  }

  typeOf(name) {
    return this.s.types.find((t) => t.name === name)
  }

  // Everything that can be reached from a variable, with the tests that must come first.
  walk(from, type, guards, depth) {
    this.paths.push({ from, type, guards })
    if (depth === 0) return
    const entity = type.k === 'Entity' && this.typeOf(type.name)
    for (const [n, at] of Object.entries(entity ? entity.attrs : type.k === 'Record' ? type.attrs : {})) {
      const has = at.required ? [] : [o([``, ` has ${key(n)}`], from)]
      this.walk(identifier(n) && this.r.chance(0.8) ? a([``, `.${n}`], from) : a([``, `[${quote(n)}]`], from), at.type, [...guards, ...has], depth - 1)
    }
    if (entity?.tags) {
      const tag = quote(this.r.pick(ids))
      this.walk(a([``, `.getTag(${tag})`], from), entity.tags, [...guards, a([``, `.hasTag(${tag})`], from)], depth - 1)
    }
  }

  literal(t, depth = 2) {
    const { r } = this
    if (t.k === 'Bool') return text(r.pick(['true', 'false']))
    if (t.k === 'Long') return text(r.pick(longs))
    if (t.k === 'String') return text(quote(r.pick(strings)))
    if (t.k === 'Entity') return text(uidText(t.name, r.pick(this.typeOf(t.name)?.ids ?? ids)))
    if (texts[t.k]) return text(`${t.k}(${quote(r.pick(r.chance(this.wrong) ? wrongTexts[t.k] : texts[t.k]))})`)
    if (t.k === 'Set') {
      const n = r.chance(this.wrong) ? 0 : 1 + r.below(depth > 0 ? 3 : 1)
      return this.list(Array.from({ length: n }, () => this.make(t.of, depth - 1)))
    }
    const fields = Object.entries(t.attrs).filter(([, at]) => at.required || r.chance(0.5))
    return this.list(fields.map(([, at]) => this.make(at.type, depth - 1)), '{}', fields.map(([n]) => `${key(n)}: `))
  }

  list(children, brackets = '[]', names = []) {
    const pieces = children.map((_, i) => (i ? ', ' : brackets[0]) + (names[i] ?? ''))
    return { pieces: [...pieces, children.length ? brackets[1] : brackets], children, atom: true }
  }

  // An expression of type t.
  make(t, depth) {
    const { r } = this
    if (r.chance(this.wrong / 2)) t = randomType(r, this.s, 1)
    const made = this.choose(t, depth)
    if (!made.atom && r.chance(0.08)) return { ...made, loose: true }
    return made
  }

  path(t) {
    const fitting = this.paths.filter((p) => same(p.type, t))
    if (!fitting.length) return null
    const { from, guards } = this.r.pick(fitting)
    if (!guards.length || this.r.chance(this.careless)) return from
    const test = guards.reduce((x, y) => o(['', ' && ', ''], x, y))
    if (t.k === 'Bool') return o(['', ' && ', ''], test, from)
    return o(['if ', ' then ', ' else ', ''], test, from, this.literal(t, 1))
  }

  choose(t, depth) {
    const { r } = this
    const sub = (type) => this.make(type, depth - 1)
    if (depth <= 0) return (r.chance(0.6) && this.path(t)) || this.literal(t, 0)
    if (r.chance(0.35)) return this.path(t) ?? this.literal(t, depth)
    if (r.chance(0.12)) return o(['if ', ' then ', ' else ', ''], sub(T.Bool), sub(t), sub(t))
    if (t.k === 'Bool') return this.boolean(depth)
    if (t.k === 'Long')
      return r.pick([
        () => o(['', ' + ', ''], sub(t), sub(t)),
        () => o(['', ' - ', ''], sub(t), sub(t)),
        () => o(['', ' * ', ''], sub(t), sub(t)),
        () => o(['-', ''], sub(t)),
        () => a(['', `.${r.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])}()`], sub(T.duration)),
      ])()
    if (t.k === 'datetime' && r.chance(0.6))
      return r.chance(0.5) ? a(['', '.offset(', ')'], sub(t), sub(T.duration)) : a(['', '.toDate()'], sub(t))
    if (t.k === 'duration' && r.chance(0.6))
      return r.chance(0.5) ? a(['', '.durationSince(', ')'], sub(T.datetime), sub(T.datetime)) : a(['', '.toTime()'], sub(T.datetime))
    if (t.k === 'Record' && r.chance(0.3)) return a(['', '.got'], this.list([sub(t), sub(T.Long)], '{}', ['got: ', 'other: ']))
    return r.chance(0.5) ? (this.path(t) ?? this.literal(t, depth)) : this.literal(t, depth)
  }

  boolean(depth) {
    const { r } = this
    const sub = (type) => this.make(type, depth - 1)
    const any = () => (r.chance(0.7) && r.pick(this.paths)?.type) || randomType(r, this.s, 1)
    const entity = () => ({ k: 'Entity', name: r.pick(this.s.types).name })
    const set = () => r.pick([...this.paths.map((p) => p.type).filter((t) => t.k === 'Set'), { k: 'Set', of: any() }])
    const twice = (t, op) => o(['', ` ${op} `, ''], sub(t), sub(t))
    return r.pick([
      () => o(['', ' && ', ''], sub(T.Bool), sub(T.Bool)),
      () => o(['', ' && ', ''], sub(T.Bool), sub(T.Bool)),
      () => o(['', ' || ', ''], sub(T.Bool), sub(T.Bool)),
      () => o(['!', ''], sub(T.Bool)),
      () => twice(any(), r.pick(['==', '!='])),
      () => twice(r.pick([T.Long, T.Long, T.datetime, T.duration]), r.pick(['<', '<=', '>', '>='])),
      () => this.below(depth),
      () => this.below(depth),
      () => this.has(),
      () => o(['', ` like "${r.pick(patterns)}"`], sub(T.String)),
      () => o(['', ` is ${entity().name}`], sub(entity())),
      () => o(['', ` is ${entity().name} in `, ''], sub(entity()), sub(entity())),
      () => this.contains(set(), depth),
      () => this.contains(set(), depth),
      () => a(['', '.isEmpty()'], sub(set())),
      () => a(['', '.hasTag(', ')'], sub(this.tagged(entity())), sub(T.String)),
      () => a(['', `.${r.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'])}(`, ')'], sub(T.decimal), sub(T.decimal)),
      () => a(['', `.${r.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}()`], sub(T.ip)),
      () => a(['', '.isInRange(', ')'], sub(T.ip), sub(T.ip)),
    ])()
  }

  tagged(otherwise) {
    const t = this.s.types.filter((x) => x.tags)
    return t.length && !this.r.chance(this.wrong) ? { k: 'Entity', name: this.r.pick(t).name } : otherwise
  }

  contains(t, depth) {
    const sub = (type) => this.make(type, depth - 1)
    const how = this.r.pick(['contains', 'containsAll', 'containsAny'])
    return a(['', `.${how}(`, ')'], sub(t), sub(how === 'contains' ? t.of : t))
  }

  below(depth) {
    const { r } = this
    if (r.chance(0.2)) return o(['action in ', ''], this.actions())
    const from = { k: 'Entity', name: r.pick([this.env.principal, this.env.resource, r.pick(this.s.types).name].filter(Boolean)) }
    const up = this.typeOf(from.name)?.parents ?? []
    const to = { k: 'Entity', name: r.pick([...up, ...up, from.name, r.pick(this.s.types).name]) }
    return o(['', ' in ', ''], this.make(from, depth - 1), this.make(r.chance(0.3) ? { k: 'Set', of: to } : to, depth - 1))
  }

  actions() {
    const { r, s } = this
    const one = () => text(uidText(s.actionType, r.chance(this.wrong) ? 'none' : r.pick(s.actions).name))
    return r.chance(0.5) ? one() : this.list(Array.from({ length: 1 + r.below(2) }, one))
  }

  has() {
    const { r } = this
    const from = r.pick(this.paths.filter((p) => p.type.k === 'Entity' || p.type.k === 'Record'))
    if (!from) return text('true')
    const attrs = Object.keys((from.type.k === 'Entity' ? this.typeOf(from.type.name)?.attrs : from.type.attrs) ?? {})
    const first = r.pick(attrs.length && r.chance(0.8) ? attrs : attrNames)
    const second = identifier(first) && r.chance(0.2) ? `.${r.pick(attrNames.filter(identifier))}` : ''
    const test = o(['', ` has ${key(first)}${second}`], from.from)
    return from.guards.length && !r.chance(this.careless) ? o(['', ' && ', ''], from.guards.reduce((x, y) => o(['', ' && ', ''], x, y)), test) : test
  }
}

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
  return o([r.pick([`${who} is ${type.name}`, `${who} in ${uid}`, `${who} == ${uid}`, `${uid} == ${who}`, `${who} is ${type.name} in ${uid}`, `action == ${act}`, `action in ${act}`])])
}

function randomPolicy(r, s, wrong, template) {
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
  const writer = new Writer(r, s, env, wrong)
  const conditions = Array.from({ length: r.pick([0, 1, 1, 1, 2]) }, () => ({
    kind: r.pick(['when', 'when', 'unless']), expr: writer.make(T.Bool, 1 + r.below(4)),
  }))
  if (conditions.length && r.chance(0.15)) conditions[0].expr = o(['', ' && ', ''], scopeLike(r, s), conditions[0].expr)
  const annotations = r.chance(0.15) ? [r.pick(['@id("x")', '@a', '@if("é\\n")', '@risk("high") @b("")'])] : []
  return { annotations, effect: r.pick(['permit', 'permit', 'forbid']), principal, action, resource, conditions, aim, template: /\?/.test(principal + resource) }
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
        for (const up of ids.slice(0, 4))
          if ((r.chance(wrong / 6) || p > t.name || (p === t.name && up > id)) && r.chance(0.35) && !s.types.find((x) => x.name === p).ids?.every((i) => i !== up)) parents.push({ type: p, id: up })
      const entity = { uid: { type: t.name, id }, attrs: json(r, s, { k: 'Record', attrs: t.attrs }, wrong), parents }
      if (t.tags && r.chance(0.8)) entity.tags = Object.fromEntries(ids.filter(() => r.chance(0.5)).map((k) => [k, json(r, s, t.tags, wrong)]))
      list.push(entity)
    }
  return list
}

function randomRequest(r, s, wrong, policies) {
  const any = r.pick(s.actions.filter((x) => x.principals.length))
  const { act, principal, resource } = r.chance(0.8) ? r.pick(policies).aim : { act: any, principal: r.pick(any.principals), resource: r.pick(any.resources) }
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

// ---- broken texts

// A token is dropped, doubled, exchanged, or put in from elsewhere.
export function broken(r, text) {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|\d+|::|&&|\|\||[=!<>]=|\s+|[^]/g) ?? []
  for (let n = 1 + r.below(2); n > 0 && tokens.length; n--) {
    const i = r.below(tokens.length)
    const other = r.pick([r.pick(tokens), ...'(){}[]@?:;,.=<>!&|+-*/%"\\ \0é\n'.split(''), 'in', 'has', 'is', 'like', 'if', 'else', 'true', '__cedar', '?principal', '9223372036854775808', '0x1', '"\\q"', '"\\x80"', '"\\u{110000}"', '//'])
    const change = r.below(4)
    tokens.splice(i, change === 2 ? 0 : 1, ...[[], [tokens[i], tokens[i]], [other], [other]][change])
  }
  return tokens.join('')
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

// kind: 'well' (typed), 'ill', or 'untyped' (no schema given); a case says its policies as trees.
export function randomCase(r) {
  const kind = r.pick(['well', 'well', 'well', 'well', 'ill', 'ill', 'untyped'])
  const wrong = kind === 'well' ? 0 : r.pick([0.05, 0.15])
  const s = randomSchema(r)
  const many = r.chance(0.06)
  const policies = many ? Array.from({ length: 10 + r.below(70) }, () => shortPolicy(r, s)) :
    Array.from({ length: 1 + r.below(5) }, () => randomPolicy(r, s, wrong, false))
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

// A JSON value with something in it exchanged, dropped, doubled, or called otherwise.
const user = { type: 'User', id: 'a' }
const junk = [null, true, 0, -1, 1.5, 9007199254740991, '', 'a', '1.5', '1.2.3.4', 'User', 'App::User', 'Long', '?principal', '==', 'in', [], {}, [[]], ['a'], user,
  { __entity: user }, { __entity: { type: 'in', id: 'a' } }, { __entity: { type: 'User' } }, { __entity: { ...user, x: 1 } },
  { __extn: { fn: 'ip', arg: '::1' } }, { __extn: { fn: 'nip', arg: '::1' } }, { __extn: { fn: 'ip' } }, { __extn: { fn: 'decimal', arg: 1 } },
  { __extn: { fn: 'ip', args: ['::1'] } }, { __extn: { fn: 'offset', args: [{ __extn: { fn: 'datetime', arg: '2024-01-01' } }, { __extn: { fn: 'duration', arg: '1h' } }] } },
  { __expr: 'ip("::1")' }, { uid: user, attrs: {}, parents: [] }, { type: 'Long' }, { type: 'Set' }, { type: 'Set', element: { type: 'String' } },
  { type: 'Record', attributes: { a: { type: 'Long', required: false } } }, { type: 'Record' }, { type: 'Entity', name: 'User' }, { type: 'EntityOrCommon', name: 'Long' },
  { type: 'Extension', name: 'ipaddr' }, { type: 'Extension', name: 'nothing' }, { type: 'Nothing' }, { enum: ['a'] }, { enum: [] }, { memberOfTypes: ['User'] },
  { Var: 'principal' }, { Var: 'x' }, { Value: 1 }, { Value: 'a' }, { Value: { __entity: user } }, { Slot: '?principal' }, { '!': { arg: { Value: true } } },
  { '==': { left: { Value: 1 }, right: { Var: 'context' } } }, { '.': { left: { Var: 'context' }, attr: 'a' } }, { has: { left: { Var: 'context' }, attr: ['a', 'b'] } },
  { like: { left: { Value: 'a' }, pattern: ['Wildcard', { Literal: 'a' }] } }, { is: { left: { Var: 'principal' }, entity_type: 'User' } }, { Set: [] }, { Record: {} },
  { ip: [{ Value: '::1' }] }, { nothing: [{ Value: 1 }] }, { op: 'All' }, { op: '==', entity: user }, { op: 'in', slot: '?resource' }, { op: 'is', entity_type: 'User' },
  { kind: 'when', body: { Value: true } }, 'Wildcard', { Literal: 'x' }]
const junkKeys = ['extra', 'attrs', 'tags', 'parents', 'type', 'name', 'a', '__entity', '__extn', 'op', 'slot', 'entity', 'entities', 'in', 'is', 'has', 'left', 'right', 'arg', 'args',
  'required', 'attributes', 'additionalAttributes', 'element', 'enum', 'shape', 'memberOf', 'memberOfTypes', 'appliesTo', 'principalTypes', 'context', 'annotations', 'commonTypes', 'kind', 'body', 'Value', 'Var', '']

export function brokenValue(r, v) {
  if (typeof v !== 'object' || v === null || r.chance(0.06)) return r.pick(junk)
  if (Array.isArray(v)) {
    const i = r.below(v.length + 1)
    if (i === v.length) return [...v, r.chance(0.3) && v.length ? v[0] : r.pick(junk)]
    return r.chance(0.1) ? v.filter((_, k) => k !== i) : v.map((x, k) => (k === i ? brokenValue(r, x) : x))
  }
  const keys = Object.keys(v)
  const k = r.pick(keys)
  if (k === undefined || r.chance(0.06)) return { ...v, [r.pick(junkKeys)]: r.pick(junk) }
  const rest = Object.fromEntries(Object.entries(v).filter(([n]) => n !== k))
  if (r.chance(0.08)) return rest
  if (r.chance(0.05)) return { ...rest, [r.pick(junkKeys)]: v[k] }
  return { ...v, [k]: brokenValue(r, v[k]) }
}
